"""Read the details in a refusal: which address, blocklist, size, domain or rule.

The wordings are those of Exchange Online, Gmail, Postfix, Exim, Spamhaus, Barracuda and SpamCop (2026-11).
"""

import re
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address

from bounce_watch.model import Cause
from bounce_watch.model.address import is_host_name
from bounce_watch.model.refusal_details import Details
from bounce_watch.parse.smtp_reply import MAX_TEXT, read_words
from bounce_watch.unwrap.fast_patterns import KeywordGuardedPattern, folded

MAX_RULE = 160
MAX_CACHED = 1024
"""Replies whose details are kept."""
# A text in the reply, and the blocklist that it stands for; the first match wins.
BLOCKLISTS = {
    "spamhaus": "Spamhaus", "barracudacentral": "Barracuda", "barracuda": "Barracuda", "spamcop": "SpamCop",
    "proofpoint": "Proofpoint", "pphosted": "Proofpoint", "ipcheck.proofpoint": "Proofpoint",
    "uceprotect": "UCEPROTECT", "sorbs": "SORBS", "s3140": "Microsoft (S3140)",
    "s3150": "Microsoft (S3150)", "as3130": "Microsoft (AS3130)", "abuseat": "Abuseat CBL",
    "mailspike": "Mailspike", "spamrats": "SpamRATS", "cloudmark": "Cloudmark", "trendmicro": "Trend Micro",
    "invaluement": "invaluement", "psbl.surriel": "PSBL", "backscatterer": "Backscatterer",
    "manitu": "NiX Spam", "senderscore": "Validity SenderScore", "sender.office.com": "Microsoft",
    "dnswl": "dnswl",
}  # fmt: skip
_ABOUT_OUR_IP = frozenset(
    (Cause.BLOCKED_REPUTATION, Cause.MISSING_REVERSE_DNS, Cause.BAD_HELO, Cause.IPV6_RATE_LIMITED)
)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_LAST_IP = KeywordGuardedPattern(r"LastAttemptedIP=\[?([0-9A-Fa-f.:]{2,45})", re.IGNORECASE)
_LAST_HOST = KeywordGuardedPattern(r"LastAttemptedServerName=([A-Za-z0-9.-]{1,253})", re.IGNORECASE)
_SPF = KeywordGuardedPattern(r"\bSPF\b|Sender Policy Framework|openspf", re.IGNORECASE)
_SPF_RESULT = re.compile(
    r"soft ?fail|perm ?error|temp ?error|neutral|did not pass|fail|violation", re.IGNORECASE
)
_HOST = r"\[?'?\"?((?:[A-Za-z0-9_-]{1,63}\.){1,8}[A-Za-z0-9-]{2,63})"
_SPF_DOMAIN = re.compile(
    rf"\bSPF \[{_HOST}|mail (?:from|for) (?:domain )?{_HOST}|on behalf of (?:domain )?{_HOST}", re.IGNORECASE
)
_DMARC_DOMAIN = re.compile(
    rf"(?:email from|sending domain|domain of|administrator of|DMARC policy (?:of|for)|domain:) {_HOST}",
    re.IGNORECASE,
)
_RULE = KeywordGuardedPattern(r"TRANSPORT\.RULES\.RejectMessage;? ?([^\[\]<>{}]{3,400})", re.IGNORECASE)
_BOILERPLATE = re.compile(r"the message was rejected by organi[sz]ation policy[.;]?", re.IGNORECASE)
_RESULTS = {"didnotpass": "fail", "violation": "fail"}
_SIZE = re.compile(
    r"(?<![\w.,@/-])(\d{1,12})(?:[.,](\d{1,3}))? ?(bytes?|octets|[kmg]i?b|[kmg](?=\b))?(?![\w@-]|\.\d)",
    re.IGNORECASE,
)
_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3}
_LIMIT_WORDS = re.compile(r"limit|max|exceed|than|allow|permit|up to|>", re.IGNORECASE)
_LEAST_PLAIN = 10_000
"""A smaller number without a unit is a code or a count."""
_LARGEST = 1024**4
_NEAR = 40


def find_details(text: str | None, cause: Cause, retry_until: datetime | None = None) -> Details | None:
    """Return what the first 2,000 characters of a reply say beyond its code, None for nothing.

    Every address, host and domain has passed a strict check.
    """
    details = _find_details((text or "")[:MAX_TEXT], cause)
    if retry_until is not None:
        return replace(details or Details(), retry_until=retry_until)
    return details


@lru_cache(MAX_CACHED)
def _find_details(text: str, cause: Cause) -> Details | None:
    reply = read_words(text)
    line = " ".join(text.split())
    lowered = folded(line)
    blocklist = find_blocklist(lowered)
    limit, size = sizes_in(reply.words) if cause is Cause.MESSAGE_TOO_LARGE else (None, None)
    found = {
        "blocked_ip": find_ip(reply.words) if blocklist or cause in _ABOUT_OUR_IP else None,
        "blocklist": blocklist,
        "size_limit": limit,
        "message_size": size,
        **_spf(reply.words, lowered),
        "dmarc_domain": _domain(_DMARC_DOMAIN, line) if "dmarc" in lowered else None,
        "rule": _rule(line, lowered),
        "as_number": reply.as_number,
        "last_attempted_ip": _checked_ip(_first(_LAST_IP, line, lowered)),
        "last_attempted_host": _checked_host(_first(_LAST_HOST, line, lowered)),
    }
    return Details.from_mapping(found) if any(value is not None for value in found.values()) else None


def sizes_in(words: str) -> tuple[int | None, int | None]:
    """Return the limit and the size of the message in bytes, None for what the text does not say.

    Of two numbers the smaller one is the limit, because the message was refused for its size.
    """
    found = [(match.start(), size) for match in _SIZE.finditer(words) if (size := _bytes_of(match))]
    sizes = sorted({size for _, size in found})
    if len(sizes) > 1:
        return sizes[0], sizes[-1]
    if not sizes:
        return None, None
    before = (words[max(place - _NEAR, 0) : place] for place, _ in found)
    return (sizes[0], None) if any(map(_LIMIT_WORDS.search, before)) else (None, sizes[0])


def _bytes_of(match: re.Match[str]) -> int | None:
    whole, fraction, unit = match[1], match[2], (match[3] or "").lower()
    if unit and unit[0] in _UNITS:
        size = int(float(f"{whole}.{fraction or 0}") * _UNITS[unit[0]])
    else:
        size = int(whole) if fraction is None else 0
    return size if (size >= _LEAST_PLAIN or (unit and size)) and size < _LARGEST else None


def find_blocklist(line: str) -> str | None:
    """Return the name of the blocklist in a reply, None if it names no known one."""
    lower = line.lower()
    return next((name for sign, name in BLOCKLISTS.items() if sign in lower), None)


def find_ip(line: str) -> str | None:
    """Return the first IP address in a text, in its usual notation."""
    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(line):
            address = _checked_ip(found[0])
            if address is not None:
                return address
    return None


def _spf(words: str, lowered: str) -> dict[str, str | None]:
    """Return result, address and domain of the SPF check (RFC 7208 section 2.6)."""
    found = _SPF.search(words, lowered)
    if found is None:
        return {}
    near = words[found.start() : found.start() + 200]
    result = _SPF_RESULT.search(near) or _SPF_RESULT.search(words)
    plain = result[0].lower().replace(" ", "") if result else None
    return {
        "spf_result": _RESULTS.get(plain, plain) if plain else None,
        "spf_ip": find_ip(words),
        "spf_domain": _domain(_SPF_DOMAIN, words),
    }


def _rule(line: str, lowered: str) -> str | None:
    found = _RULE.search(line, lowered)
    told = _BOILERPLATE.sub("", found[1]).strip(" ;,.\"'") if found else ""
    return "".join(character for character in told if character.isprintable())[:MAX_RULE] or None


def _domain(pattern: re.Pattern[str], line: str) -> str | None:
    found = pattern.search(line)
    return _checked_host(next(filter(None, found.groups()), None)) if found else None


def _first(pattern: KeywordGuardedPattern, line: str, lowered: str) -> str | None:
    found = pattern.search(line, lowered)
    return found[1] if found else None


def _checked_ip(text: str | None) -> str | None:
    """Return an IP address in its usual notation, without a port after it."""
    candidates = (text, text.rpartition(":")[0]) if text else ()
    for candidate in candidates:
        try:
            return str(ip_address(candidate))
        except ValueError:
            continue
    return None


def _checked_host(text: str | None) -> str | None:
    name = (text or "").rstrip(".").lower()
    return name if name and is_host_name(name) else None
