"""DKIM: is the key of a selector published, whole and strong enough (RFC 6376, RFC 8301)?"""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from bounce_watch.dns.finding import begin_finding
from bounce_watch.dns.resolver import Answer, Names
from bounce_watch.dns.tags import BadTags, read_tags
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question

SELECTORS = ("selector1", "selector2")
"""The selectors of Exchange Online."""

LEAST_BITS, GOOD_BITS = 1024, 2048
_ED25519_BITS = 256


def ask_dkim(names: Names, domain: str, selector: str, now: datetime) -> DnsFinding:
    name = f"{selector}._domainkey.{domain}"
    answer = names.lookup(name, "TXT")
    finding = begin_finding(Question.DKIM, domain, name, answer, now, record=" | ".join(answer.values))
    if finding.verdict is DnsVerdict.UNASKED:
        return finding
    if not answer.values:
        return _missing(names, finding, answer)
    why, proves = _judge(answer.values)
    verdict = DnsVerdict.FAULT if proves or why.startswith("t=y") else DnsVerdict.OK
    return replace(finding, verdict=verdict, why=why, proves=proves)


def _missing(names: Names, finding: DnsFinding, answer: Answer) -> DnsFinding:
    alias = answer.alias or next(iter(names.lookup(finding.name, "CNAME").values), None)
    if alias is None:
        return replace(finding, verdict=DnsVerdict.ABSENT, why=f"no key: {finding.name} holds no TXT record")
    target = alias.rstrip(".")
    why = f"CNAME to {target}, which holds no key (dangling)"
    return replace(finding, record=f"CNAME {target}", why=why)


def _judge(records: tuple[str, ...]) -> tuple[str, bool]:
    """Return what is to say about a key, and whether signatures fail because of it."""
    if len(records) > 1:
        return f"{len(records)} keys, one is allowed", True
    try:
        tags = read_tags(records[0])
    except BadTags as error:
        return str(error), True
    wrong = next(_wrong(tags), None)
    if wrong is not None:
        return wrong, True
    if "y" in _words(tags.get("t", "")):
        return "t=y: in testing mode, receivers may treat signed messages as unsigned", False
    bits = _bits(tags)
    advice = f"; {GOOD_BITS} are advised" if LEAST_BITS <= bits < GOOD_BITS else ""
    return f"a valid {tags.get('k', 'rsa')} key of {bits} bits{advice}", False


def _words(value: str) -> list[str]:
    return [one.strip().lower() for one in value.split(":")]


def _wrong(tags: dict[str, str]) -> Iterator[str]:
    """Yield why no signature can be verified with a key."""
    kind = tags.get("k", "rsa").lower()
    if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        yield "v=DKIM1 must be the first tag, or be left out"
    if "p" not in tags:
        yield "no p=: the record holds no key"
    if not tags.get("p"):
        yield "p= is empty: the key is revoked"
    if kind not in ("rsa", "ed25519"):
        yield f"k={kind[:20]}: an unknown kind of key"
    if "sha256" not in _words(tags.get("h", "sha256")):
        yield f"h={tags['h'][:40]}: sha256 is not allowed"
    if not {"*", "email"} & set(_words(tags.get("s", "*"))):
        yield f"s={tags['s'][:40]}: the key is not for email"
    try:
        bits = _bits(tags)
    except (ValueError, TypeError) as error:
        yield f"p= holds no {kind} key: {str(error)[:80]}"
        return
    if kind == "rsa" and bits < LEAST_BITS:
        yield f"an RSA key of {bits} bits; receivers require {LEAST_BITS} (RFC 8301)"
    if kind == "ed25519" and bits != _ED25519_BITS:
        yield f"p= holds {bits} bits, an ed25519 key has {_ED25519_BITS}"


def _bits(tags: dict[str, str]) -> int:
    """Return the length of a key. Raises ValueError or TypeError for what is no such key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = base64.b64decode("".join(tags["p"].split()), validate=True)
    if tags.get("k", "rsa").lower() == "ed25519":
        return len(key) * 8
    try:
        found = load_der_public_key(key)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if not isinstance(found, RSAPublicKey):
        raise TypeError("another kind of key")
    return found.key_size
