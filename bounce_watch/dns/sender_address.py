"""An address that sends: its name and that name's address (FCrDNS), and blocklists (RFC 5782)."""

import ipaddress
from dataclasses import replace
from datetime import datetime

from bounce_watch.dns.finding import begin_finding
from bounce_watch.dns.resolver import Answer, Names, Status
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question

MOST_NAMES = 5
_LISTED, _UNLISTED = "127.0.0.2", "127.0.0.1"
"""Addresses that every list must, and must not, hold (RFC 5782 section 5)."""
_ERRORS = "127.255.255."
"""What lists answer to a resolver that they refuse."""


def ask_ptr(names: Names, address: str, now: datetime) -> DnsFinding:
    """Judge whether an address has a name that has this address."""
    name = ipaddress.ip_address(address).reverse_pointer
    answer = names.lookup(name, "PTR")
    hosts = [value.rstrip(".") for value in answer.values][:MOST_NAMES]
    finding = begin_finding(Question.PTR, address, name, answer, now, record=", ".join(hosts))
    if finding.verdict is DnsVerdict.UNASKED:
        return finding
    if not hosts:
        return replace(finding, verdict=DnsVerdict.ABSENT, why=f"{address} has no name (no PTR record)")
    found = {host: _addresses(names, host) for host in hosts}
    wanted = ipaddress.ip_address(address)
    if any(wanted in map(ipaddress.ip_address, answer.values) for answer in found.values()):
        return replace(finding, verdict=DnsVerdict.OK, why="the name leads back to the address", proves=False)
    unasked = next((each.why for each in found.values() if each.status is Status.UNASKED), None)
    if unasked is not None:
        return replace(finding, verdict=DnsVerdict.UNASKED, why=unasked, proves=False)
    host, forward = next(iter(found.items()))
    back = f"leads to {', '.join(forward.values[:3])}" if forward.values else "has no address"
    return replace(finding, why=f"the name {host} {back}, not to {address}")


def _addresses(names: Names, host: str) -> Answer:
    first, second = (names.lookup(host, kind) for kind in ("A", "AAAA"))
    if Status.UNASKED in (first.status, second.status) and not (first.values or second.values):
        return first if first.status is Status.UNASKED else second
    return replace(first, values=(*first.values, *second.values))


def ask_blocklist(names: Names, blocklist: str, address: str, now: datetime) -> DnsFinding:
    """Judge whether a list holds an address, after its test points."""
    answer = names.lookup(_listed_name(address, blocklist), "A")
    finding = DnsFinding(
        question=Question.BLOCKLIST,
        subject=address,
        name=blocklist,
        verdict=DnsVerdict.UNASKED,
        record=None,
        why="",
        asked_at=now,
    )
    must, must_not = (names.lookup(_listed_name(one, blocklist), "A") for one in (_LISTED, _UNLISTED))
    said = (value for each in (must, must_not, answer) for value in each.values)
    refusal = next((value for value in said if value.startswith(_ERRORS)), None)
    if refusal is not None:
        return replace(finding, why=f"{blocklist} refuses our resolver ({refusal})")
    unasked = next((each.why for each in (must, must_not, answer) if each.status is Status.UNASKED), None)
    if unasked is not None:
        return replace(finding, why=unasked)
    if not must.values or must_not.values:
        what = f"does not list {_LISTED}" if not must.values else f"lists {_UNLISTED}"
        return replace(finding, why=f"{blocklist} {what}, its test point (RFC 5782): not in operation")
    if not any(value.startswith("127.") for value in answer.values):
        return replace(finding, verdict=DnsVerdict.OK, why=f"{address} is not on {blocklist}")
    reason = " | ".join(names.lookup(_listed_name(address, blocklist), "TXT").values)
    because = f": {reason[:200]}" if reason else ""
    return replace(
        finding,
        verdict=DnsVerdict.FAULT,
        record=", ".join(answer.values),
        why=f"{address} is on {blocklist}{because}",
        ttl=answer.ttl,
        proves=True,
    )


def _listed_name(address: str, blocklist: str) -> str:
    reverse = ipaddress.ip_address(address).reverse_pointer
    return f"{reverse.removesuffix('.in-addr.arpa').removesuffix('.ip6.arpa')}.{blocklist}"
