"""The SPF record to publish instead: made from the present one, and evaluated before it is proposed."""

import ipaddress
import re
from collections.abc import Collection, Sequence

from bounce_watch.dns.evaluate import MOST_LOOKUPS, MOST_VOID, VERSION, Evaluation, evaluate, syntax_error
from bounce_watch.dns.exchange import INCLUDE
from bounce_watch.dns.resolver import Names

NOBODY = "192.0.0.8"
"""A reserved address without a sender (RFC 7600): for it every term of a record is evaluated."""

LONGEST_STRING = 255
MOST_BYTES = 1_000
"""A longer record may not fit into an answer."""

_REPAIRS = ((r"(?i)^([+?~-]?)ipv?([46])[:=]?", r"\1ip\2:"), (r"(?i)^includes?[:=]+", "include:"))


def propose(
    names: Names,
    domain: str,
    records: Sequence[str],
    addresses: Sequence[str],
    *,
    leave_out: Sequence[str],
    ours: Collection[str],
) -> str | None:
    """Return a record by which these addresses pass and no others do; None if none could be proven.

    Only an address in `ours` is added by itself: that another one is ours is only a remote server's word.
    """
    terms = _kept(names, domain, records, leave_out)
    complete = _with_missing(names, domain, terms, addresses, ours)
    for candidate in (complete, _flattened(names, domain, complete)):
        if _holds(names, domain, _joined(candidate), addresses):
            return _in_strings(_joined(candidate))
    return None


def _kept(names: Names, domain: str, records: Sequence[str], leave_out: Sequence[str]) -> list[str]:
    """Return the terms of all records, repaired, each once, `all` last; none that lets anybody send."""
    terms: list[str] = []
    for term in (term for record in records for term in record.split()[1:]):
        fixed = _repaired(names, domain, term, leave_out) if term in leave_out else (term,)
        terms += [one for one in fixed if not re.match(r"(?i)[+?~-]?ptr(:|/|\Z)", one)]
    alls = {term.lower() for term in terms if _is_all(term)}
    rest = [term for term in dict.fromkeys(terms) if not _is_all(term)]
    others = [term for term in rest if not term.lower().startswith("redirect=")]
    if rest and not others and not alls:
        return rest
    return [*others, "-all" if "-all" in alls else "~all"]


def _is_all(term: str) -> bool:
    return term.lower().lstrip("+?~-") == "all"


def _repaired(names: Names, domain: str, term: str, leave_out: Sequence[str]) -> tuple[str, ...]:
    """Return what stands in for a bad term: it in valid form, or what is sound in the record it includes."""
    for pattern, repair in _REPAIRS:
        fixed = re.sub(pattern, repair, term, count=1)
        if fixed != term and syntax_error(fixed) is None:
            return (fixed,)
    found = re.match(r"(?i)\+?(?:include:|redirect=)(\S+)", term)
    answer = names.lookup(found[1], "TXT") if found and found[1].lower() != domain else None
    records = [value for value in answer.values if VERSION.match(value)] if answer else []
    inner = records[0].split()[1:] if len(records) == 1 else []
    return tuple(one for one in inner if not _is_all(one) and one not in leave_out and not syntax_error(one))


def _with_missing(
    names: Names, domain: str, terms: list[str], addresses: Sequence[str], ours: Collection[str]
) -> list[str]:
    for address in addresses:
        if _evaluate(names, domain, terms, address).verdict == "pass":
            continue
        if _evaluate(names, domain, [f"include:{INCLUDE}"], address).verdict == "pass":
            terms = _before_all(terms, f"include:{INCLUDE}")
        elif address in ours:
            terms = _before_all(terms, f"ip{ipaddress.ip_address(address).version}:{address}")
    return terms


def _before_all(terms: list[str], term: str) -> list[str]:
    if terms and terms[-1].lower().startswith("redirect="):
        return [term, *terms]
    return terms if term in terms else [*terms[:-1], term, *terms[-1:]]


def _flattened(names: Names, domain: str, terms: list[str]) -> list[str]:
    """Replace includes by their networks, until the lookups suffice; one with other terms stays."""
    lookups = _evaluate(names, domain, terms, NOBODY).lookups
    for term in terms:
        if lookups <= MOST_LOOKUPS:
            break
        if networks := _networks(names, term):
            place = terms.index(term)
            rest = [one for one in networks if one not in terms]
            terms = [*terms[:place], *rest, *terms[place + 1 :]]
            lookups = _evaluate(names, domain, terms, NOBODY).lookups
    return terms


def _networks(names: Names, term: str) -> list[str]:
    """Return the networks of an include that holds nothing else at any depth, else none."""
    if not term.lower().startswith("include:") or term.lower() == f"include:{INCLUDE}":
        return []
    target = term.partition(":")[2]
    inner = [one for _, record in evaluate(names, target, NOBODY).records for one in record.split()[1:]]
    others = [one for one in inner if not re.match(r"(?i)(\+?ip[46]:|\+?include:|[?~-]all\Z)", one)]
    return [] if others else [one for one in inner if re.match(r"(?i)\+?ip[46]:", one)]


def _joined(terms: Sequence[str]) -> str:
    return " ".join(("v=spf1", *terms))


def _evaluate(names: Names, domain: str, terms: Sequence[str], address: str) -> Evaluation:
    return evaluate(names, domain, address, _joined(terms))


def _holds(names: Names, domain: str, record: str, addresses: Sequence[str]) -> bool:
    """Tell whether a record keeps all limits, all addresses pass, and the reserved one does not."""
    nobody = evaluate(names, domain, NOBODY, record)
    return (
        len(record) <= MOST_BYTES
        and nobody.verdict in ("fail", "softfail", "neutral")
        and nobody.lookups <= MOST_LOOKUPS
        and len(nobody.voids) <= MOST_VOID
        and all(evaluate(names, domain, address, record).verdict == "pass" for address in addresses)
    )


def _in_strings(record: str) -> str:
    """Return a record as a zone file writes it if it needs several strings (RFC 7208 section 3.3)."""
    if len(record) <= LONGEST_STRING:
        return record
    parts = [record[start : start + LONGEST_STRING] for start in range(0, len(record), LONGEST_STRING)]
    return " ".join(f'"{part}"' for part in parts)
