"""DMARC: the record that applies to a domain, by the walk up the tree (RFC 7489, RFC 9989)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from bounce_watch.dns.finding import begin_finding
from bounce_watch.dns.resolver import Answer, Names, Status
from bounce_watch.dns.tags import BadTags, read_tags
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question

MOST_STEPS = 8
_POLICIES = ("none", "quarantine", "reject")
_CHOICES = {"p": _POLICIES, "sp": _POLICIES, "np": _POLICIES, "adkim": ("r", "s"), "aspf": ("r", "s")}
_CHOICES |= {"psd": ("y", "n", "u"), "t": ("y", "n")}
_VERSION = re.compile(r"v\s*=\s*DMARC1\s*(;|\Z)", re.IGNORECASE)
_ADDRESS = re.compile(r"mailto:[^@!,;\s]+@([A-Za-z0-9.-]+)(![0-9]+[kmgt]?)?\Z", re.IGNORECASE)


def ask_dmarc(
    names: Names, domain: str, now: datetime, *, signed_by: str | None = None, sent_by: str | None = None
) -> DnsFinding:
    """Judge the DMARC record of a domain. `signed_by` and `sent_by` are the domains of DKIM and SPF."""
    found, answer = _walk(names, domain)
    records = [value for value in answer.values if _VERSION.match(value)]
    finding = begin_finding(
        Question.DMARC, domain, f"_dmarc.{found}", answer, now, record=" | ".join(records or answer.values)
    )
    if finding.verdict is DnsVerdict.UNASKED:
        return finding
    if not records:
        return _without(finding, answer)
    wrong = next(_wrong_records(records), None)
    if wrong is not None:
        return replace(finding, why=wrong, publish=_repaired(records[0]))
    tags = read_tags(records[0])
    unaligned = _unaligned(tags, domain, signed_by=signed_by, sent_by=sent_by)
    unwanted = next(_unauthorized(names, found, tags), None)
    if unaligned or unwanted:
        return replace(finding, why=unaligned or unwanted or "", proves=bool(unaligned))
    why = _applied(names, domain, found, tags)
    return replace(finding, verdict=DnsVerdict.OK, why=why, proves=False)


def _walk(names: Names, domain: str) -> tuple[str, Answer]:
    """Return the domain whose record applies, and the answer; the domain itself without any."""
    labels, first = domain.split("."), None
    steps = [labels, *(labels[-length:] for length in range(min(len(labels) - 1, MOST_STEPS - 1), 1, -1))]
    for step in steps:
        answer = names.lookup("_dmarc." + ".".join(step), "TXT")
        first = first or answer
        near = any("dmarc" in value.lower() for value in answer.values)
        if answer.status is Status.UNASKED or near:
            return ".".join(step), answer
    return domain, first or names.lookup(f"_dmarc.{domain}", "TXT")


def _without(finding: DnsFinding, answer: Answer) -> DnsFinding:
    near = next((value for value in answer.values if "dmarc" in value.lower()), None)
    if near is not None:
        why = f"{near[:60]!r} does not begin with v=DMARC1;: receivers ignore it"
        return replace(finding, why=why, publish=_repaired(near))
    publish = "v=DMARC1; p=none"
    return replace(finding, verdict=DnsVerdict.ABSENT, why="no DMARC record", record=None, publish=publish)


def _wrong_records(records: Sequence[str]) -> Iterator[str]:
    if len(records) > 1:
        yield f"{len(records)} DMARC records, one is allowed: receivers ignore them"
    try:
        yield from _wrong(read_tags(records[0]))
    except BadTags as error:
        yield str(error)


def _wrong(tags: dict[str, str]) -> Iterator[str]:
    if next(iter(tags)) != "v":
        yield "v=DMARC1 must be the first tag"
    if "p" not in tags and "rua" not in tags:
        yield "no p=: the record sets no policy"
    for name, allowed in _CHOICES.items():
        if name in tags and tags[name].lower() not in allowed:
            yield f"{name}={tags[name][:30]}: must be {', '.join(allowed)}"
    if "pct" in tags and not (tags["pct"].isdigit() and int(tags["pct"]) <= 100):
        yield f"pct={tags['pct'][:20]}: must be 0 to 100"
    for name in ("rua", "ruf"):
        for address in filter(None, re.split(r"\s*,\s*", tags.get(name, ""))):
            if not _ADDRESS.match(address):
                yield f"{name}={address[:60]}: must be mailto: with an address"


def _unauthorized(names: Names, domain: str, tags: dict[str, str]) -> Iterator[str]:
    """Yield receivers of reports in other organizations that do not accept them (RFC 7489 section 7.1)."""
    places = [found[1].lower() for name in ("rua", "ruf") for found in _addresses(tags.get(name, ""))]
    for place in dict.fromkeys(places):
        if _is_aligned(place, domain, strict=False):
            continue
        answer = names.lookup(f"{domain}._report._dmarc.{place}", "TXT")
        is_missing = answer.status in (Status.NO_NAME, Status.NO_DATA)
        if is_missing or (answer.values and not any(_VERSION.match(value) for value in answer.values)):
            yield f"{place} gets no reports: it must publish {domain}._report._dmarc.{place} TXT v=DMARC1"


def _addresses(value: str) -> Iterator[re.Match[str]]:
    return (found for one in value.split(",") if (found := _ADDRESS.match(one.strip())))


def _unaligned(
    tags: dict[str, str], domain: str, *, signed_by: str | None, sent_by: str | None
) -> str | None:
    """Return why neither DKIM nor SPF is aligned, None if one is or if it is not known."""
    given = ((signed_by, "adkim", "DKIM"), (sent_by, "aspf", "SPF"))
    known = [
        (other, tag, name, _is_aligned(other, domain, strict=tags.get(tag, "r").lower() == "s"))
        for other, tag, name in given
        if other is not None
    ]
    if not known or any(is_aligned for *_, is_aligned in known):
        return None
    return "; ".join(
        f"{name} of {other} is not aligned ({tag}={tags.get(tag, 'r')})" for other, tag, name, _ in known
    )


def _is_aligned(one: str, other: str, *, strict: bool) -> bool:
    one, other = one.lower().rstrip("."), other.lower().rstrip(".")
    return one == other or (not strict and (one.endswith(f".{other}") or other.endswith(f".{one}")))


def _applied(names: Names, domain: str, found: str, tags: dict[str, str]) -> str:
    policy = tags.get("p", "none")
    if found == domain:
        return f"p={policy}"
    is_there = names.lookup(domain, "A").status is not Status.NO_NAME
    name = "sp" if is_there or "np" not in tags else "np"
    return f"{name}={tags.get(name, tags.get('sp', policy))}, from the record of {found}"


def _repaired(record: str) -> str:
    """Return a valid record with what is valid in this one."""
    kept: dict[str, str] = {}
    for piece in record.split(";"):
        name, sign, value = (part.strip() for part in piece.partition("="))
        if sign and name.lower() not in kept:
            kept[name.lower()] = value
    policy = kept.get("p", "").lower()
    tags = {"v": "DMARC1", "p": policy if policy in _POLICIES else "none"}
    for name, value in kept.items():
        if name not in tags and name in {*_CHOICES, "rua", "ruf", "pct", "fo", "ri", "rf"}:
            tags[name] = value
            if next(_wrong(tags), None) is not None:
                del tags[name]
    return "; ".join(f"{name}={value}" for name, value in tags.items())
