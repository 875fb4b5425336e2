"""Mask what differs between replies of one kind, and what identifies people: addresses, hosts, ids."""

import re
from collections.abc import Iterable, Iterator

from bounce_watch.classify.words.clean import HOST, IP, SETTING, URL, is_fault_name

MAX_TEXT = 2_000
MAX_WORDS = 12
"""Words of one phrase; more would fit this one reply only."""

ADDRESS = re.compile(r"<[^<>\s]{1,254}>|[^\s<>\"'(),;:\[\]\\@]{1,256}@[\w.-]{1,253}")
"""Wide on purpose: what looks like an address is masked, also if no mail system would accept it."""
ENOUGH_WORDS = 4
"""Of runs with so many words the first tells most; later ones are advice."""

_KINDS = {
    "url": URL.pattern,
    "address": ADDRESS.pattern,
    "ip": IP.pattern,
    "keep": r"(?<![\w.])(?:[245]\.\d{1,3}\.\d{1,3}|[245]\d\d(?=[ -]))(?![\w.]\d)",
    "setting": SETTING.pattern,
    "host": HOST.pattern,
    "id": r"(?<![\w<])(?=[\w+/-]{0,40}\d)(?=[\d+/_-]{0,40}[^\W\d_])[\w+/-]{6,200}={0,2}(?![\w>])",
    "number": r"(?<![^\W\d_])\d[\d.,:]{0,40}(?!\w)",
}
_NAMED = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()), re.IGNORECASE)
_CUT = re.compile(
    r"<(?:url|address|ip|setting|host|id|number)>|(?<![\w.])[245]\.\d{1,3}\.\d{1,3}|(?<!\w)[245]\d\d(?=[ -])"
    r"|[.;:,!?](?=\s|$)|[。！？；]|[()\[\]|\"“”{}<>]|\s[-–|/]{1,3}\s|->"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_EDGE = " \t-–'’`.,:;/#*_"


def without_addresses(text: str, *names: str | None) -> str:
    """Return a reply on one line with invented addresses; the judge skips words with an @ anyway."""
    line = ADDRESS.sub("<someone@example.com>", " ".join(text[:MAX_TEXT].split()))
    return _without(line, names, "someone")


def mask(text: str, *names: str | None) -> str:
    """Return a reply on one line with placeholders such as `<address>`; `names` are masked as addresses.

    Reply codes and statuses stay, because they are the same for everybody.
    """
    line = " ".join(text[:MAX_TEXT].split())
    return _without(_NAMED.sub(_placeholder, line), names, "<address>")


def _without(text: str, names: Iterable[str | None], instead: str) -> str:
    for name in names:
        if name and len(name) > 2:
            whole = rf"(?<![\w<]){re.escape(name)}(?![\w>])"
            text = re.sub(whole, instead, text, flags=re.IGNORECASE)
    return text


def _placeholder(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    if kind == "keep" or (kind == "host" and is_fault_name(found[0])):
        return found[0]
    return f"<{kind}>"


def phrases(masked: str) -> list[str]:
    """Return the runs of words between placeholders, codes and punctuation, longer and earlier ones first."""
    runs = (" ".join(run.split()[:MAX_WORDS]).strip(_EDGE) for run in _CUT.split(masked))
    told = [run for run in dict.fromkeys(runs) if _WORD.search(run)]
    return sorted(told, key=lambda run: -min(len(_WORD.findall(run)), ENOUGH_WORDS))


def words_of(masked: str) -> Iterator[str]:
    """Yield the words of a masked reply in small letters, placeholders and codes left out."""
    for run in _CUT.split(masked):
        yield from (word.lower() for word in _WORD.findall(run))
