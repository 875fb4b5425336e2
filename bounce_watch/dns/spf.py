"""SPF: does a domain's record let our servers send, and is it sound (RFC 7208)?"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bounce_watch.dns import proposal
from bounce_watch.dns.evaluate import MOST_LOOKUPS, MOST_VOID, VERSION, Evaluation, evaluate, syntax_error
from bounce_watch.dns.exchange import BY_EXCHANGE, INCLUDE, ONE_OF_EACH_RANGE
from bounce_watch.dns.finding import begin_finding
from bounce_watch.dns.proposal import NOBODY
from bounce_watch.dns.resolver import Answer, Names, Status
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """What is to say about a record. `proves`: receivers reject because of it. `bad`: terms that must go."""

    why: str
    verdict: DnsVerdict = DnsVerdict.FAULT
    proves: bool = False
    bad: tuple[str, ...] = ()


def ask_spf(
    names: Names,
    domain: str,
    now: datetime,
    *,
    addresses: Sequence[str] = (),
    ours: Sequence[str] = (),
    seen: Sequence[str] = (),
    earlier: str | None = None,
    by_exchange: bool = True,
    must_know: bool = False,
    record: str | None = None,
) -> DnsFinding:
    """Judge the record of a domain for `addresses`; none: for Exchange Online if `by_exchange` sends for it.

    A proposed record must pass for `ours` too, and for those of the `seen` addresses that are surely ours:
    they belong to Exchange Online or passed by the `earlier` sound record. `record` is judged instead of the
    published one. `must_know`: a sound record is not enough if Exchange Online's addresses cannot be asked.
    """
    answer = names.lookup(domain, "TXT") if record is None else Answer(status=Status.FOUND, values=(record,))
    records = [value for value in answer.values if VERSION.match(value)]
    finding = begin_finding(
        Question.SPF, domain, domain, answer, now, record=" | ".join(records), proves=False
    )
    if finding.verdict is DnsVerdict.UNASKED:
        return finding
    wanted = tuple(addresses) or (exchange_addresses(names, domain) if by_exchange else ())
    if len(records) == 1:
        found = _judge(names, domain, records[0], wanted, is_known=bool(addresses))
    else:
        found = _no_single_record(domain, answer, records)
    finding = replace(finding, verdict=found.verdict, why=found.why, proves=found.proves)
    if must_know and by_exchange and not wanted and found.verdict is DnsVerdict.OK:
        unasked = names.lookup(INCLUDE, "TXT")
        return replace(finding, verdict=DnsVerdict.UNASKED, why=unasked.why or f"{INCLUDE} is missing")
    if found.verdict not in (DnsVerdict.FAULT, DnsVerdict.ABSENT):
        return finding
    known = {*ours, *_passing(names, domain, (*wanted, *seen), earlier)}
    trusted = {*known, *_passing(names, domain, seen, BY_EXCHANGE)}
    needed = tuple(dict.fromkeys((*wanted, *ours, *(one for one in seen if one in trusted))))
    publish = proposal.propose(names, domain, records, needed, leave_out=found.bad, ours=known)
    return replace(finding, publish=publish)


def exchange_addresses(names: Names, domain: str) -> tuple[str, ...]:
    """Return the addresses of Exchange Online that its own record authorizes today."""
    return tuple(_passing(names, domain, ONE_OF_EACH_RANGE, BY_EXCHANGE))


def _passing(names: Names, domain: str, addresses: Sequence[str], record: str | None) -> Iterator[str]:
    if record is not None:
        yield from (one for one in addresses if evaluate(names, domain, one, record).verdict == "pass")


def _no_single_record(domain: str, answer: Answer, records: Sequence[str]) -> Judgment:
    if records:
        why = f"{len(records)} SPF records, one is allowed: receivers report permerror"
        return Judgment(why=why, proves=True)
    if answer.status is Status.NO_NAME:
        return Judgment(why=f"{domain} does not exist in DNS", verdict=DnsVerdict.ABSENT, proves=True)
    near = next((value for value in answer.values if "spf" in value.lower()[:12]), None)
    if near is not None:
        return Judgment(why=f"no SPF record: {near[:60]!r} does not begin with 'v=spf1 '", proves=True)
    return Judgment(why="no SPF record", verdict=DnsVerdict.ABSENT, proves=True)


def _judge(names: Names, domain: str, record: str, wanted: Sequence[str], *, is_known: bool) -> Judgment:
    """Return the worst that is to say about a record, else why it is fine or could not be evaluated."""
    whole = evaluate(names, domain, NOBODY, record)
    if whole.verdict == "temperror":
        return Judgment(why=f"{whole.reason} ({' > '.join(whole.path)})", verdict=DnsVerdict.UNASKED)
    broken = next(_broken(domain, whole), None)
    if broken is not None:
        return broken
    looks = [(address, evaluate(names, domain, address, record)) for address in wanted]
    slow = next((look for _, look in looks if look.verdict == "temperror"), None)
    if slow is not None:
        return Judgment(why=slow.reason, verdict=DnsVerdict.UNASKED)
    failed = [(address, look) for address, look in looks if look.verdict != "pass"]
    if failed and (is_known or len(failed) == len(looks)):
        return _not_authorized(names, domain, *failed[0], is_known=is_known)
    weak = next(_weak(record, whole), None)
    return weak or Judgment(why=_praise(looks, whole), verdict=DnsVerdict.OK)


def _praise(looks: Sequence[tuple[str, Evaluation]], whole: Evaluation) -> str:
    lookups = f"{whole.lookups} lookups of {MOST_LOOKUPS}"
    passed = next(((address, look) for address, look in looks if look.verdict == "pass"), None)
    if passed is None:
        return f"the record is sound; {lookups}"
    inner = f" ({passed[1].inner})" if passed[1].inner else ""
    return f"{passed[0]} passes by {passed[1].term}{inner}; {lookups}"


def _broken(domain: str, whole: Evaluation) -> Iterator[Judgment]:
    """Yield what makes every receiver report permerror."""
    first = whole.path[:1]
    for where, policy in whole.records:
        errors = list(_syntax_errors(policy))
        if errors:
            place = "" if where == domain else f"in {' > '.join(whole.path)}: "
            bad = (*(term for term, _ in errors), *(() if where == domain else first))
            yield Judgment(why=f"{place}{errors[0][1]}", proves=True, bad=bad)
    if whole.loop:
        back = tuple(f"{word}{name}" for name in whole.loop for word in ("include:", "redirect="))
        why = f"{whole.path[0]}: a loop of includes: {' > '.join(whole.loop)}"
        yield Judgment(why=why, proves=True, bad=(*first, *back))
    if whole.over:
        why = f"{whole.lookups} lookups, {MOST_LOOKUPS} are allowed: over the limit at {whole.over}"
        yield Judgment(why=why, proves=True)
    elif len(whole.voids) > MOST_VOID:
        lost = ", ".join(f"{void.term} ({void.name})" for void in whole.voids)
        why = f"{len(whole.voids)} void lookups, {MOST_VOID} are allowed: {lost}"
        yield Judgment(why=why, proves=True, bad=tuple(one for void in whole.voids for one in void.path))
    elif whole.verdict == "permerror":
        yield _permanent_error(whole)


def _syntax_errors(policy: str) -> Iterator[tuple[str, str]]:
    """Yield each malformed term of a record, and what is wrong with it at which place."""
    modifiers: set[str] = set()
    for found in list(re.finditer(r"\S+", policy))[1:]:
        term, name = found[0], found[0].partition("=")[0].lower()
        error = f"a second {name}" if name in modifiers else syntax_error(term)
        modifiers |= {name} & {"redirect", "exp"}
        if error is not None:
            yield term, f"syntax error at character {found.start() + 1}, {term!r}: {error}"


def _permanent_error(whole: Evaluation) -> Judgment:
    """Name the term that a vanished or double record makes fail."""
    path, reason = " > ".join(whole.path), whole.reason
    lost = re.search(r"(?:include:|redirect=)(\S+) has no SPF record", reason)
    twice = re.search(r"multiple v=spf1 records for (\S+)", reason)
    if lost:
        reason = f"{lost[1]} has no SPF record (vanished)"
    elif twice:
        reason = f"{twice[1]} has several SPF records"
    return Judgment(why=f"{path}: {reason}; receivers report permerror", proves=True, bad=whole.path)


def _not_authorized(names: Names, domain: str, address: str, look: Evaluation, *, is_known: bool) -> Judgment:
    what = f"{address} is not authorized" if is_known else "Exchange Online is not authorized"
    decided = f"{look.term} decides: {look.verdict}" if look.term else f"no term matches: {look.verdict}"
    is_exchange = any(_passing(names, domain, (address,), BY_EXCHANGE))
    missing = f"; include:{INCLUDE} is missing" if is_exchange else ""
    return Judgment(why=f"{what}, {decided}{missing}", proves=True)


def _weak(record: str, whole: Evaluation) -> Iterator[Judgment]:
    """Yield what is unwise, but rejects no message of ours."""
    terms = record.split()[1:]
    bare = [term.lower().lstrip("+-~?") for term in terms]
    place = bare.index("all") if "all" in bare else None
    if whole.verdict == "pass":
        yield Judgment(why=f"{' > '.join(whole.path)} lets any server send as the domain", bad=whole.path[:1])
    for where, policy in whole.records:
        for term in policy.split()[1:]:
            if re.match(r"(?i)[+?~-]?ptr(:|/|\Z)", term):
                why = f"{term} in the record of {where}: ptr must not be used (RFC 7208 section 5.5)"
                yield Judgment(why=why)
    if place is None:
        if not any(term.startswith("redirect=") for term in bare):
            yield Judgment(why="no all and no redirect at the end: it rejects no forged message")
        return
    for term in terms[place + 1 :]:
        yield Judgment(why=f"{term} stands after {terms[place]} and is never evaluated")
    if terms[place].startswith("?"):
        yield Judgment(why=f"{terms[place]} is neutral: it rejects no forged message")
