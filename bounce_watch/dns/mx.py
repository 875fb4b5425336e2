"""MX: does a domain exist, and which servers take its mail (RFC 5321 section 5.1, RFC 7505)?"""

import ipaddress
from dataclasses import replace
from datetime import datetime

from bounce_watch.dns.finding import begin_finding
from bounce_watch.dns.resolver import Answer, Names, Status
from bounce_watch.model.dns import NO_DOMAIN, NULL_MX, DnsFinding, DnsVerdict, Question

MOST_HOSTS = 10


def ask_mx(names: Names, domain: str, now: datetime) -> DnsFinding:
    answer = names.lookup(domain, "MX")
    finding = begin_finding(Question.MX, domain, domain, answer, now, record=", ".join(answer.values))
    match answer.status:
        case Status.UNASKED:
            return finding
        case Status.NO_NAME:
            return replace(finding, why=NO_DOMAIN)
        case Status.NO_DATA:
            return _without_mx(names, finding)
    hosts = hosts_of(answer)
    if not hosts:
        more = "" if len(answer.values) == 1 else ", beside other MX records, which is not allowed"
        return replace(finding, why=f"{NULL_MX}{more}: the domain accepts no mail")
    return _judge_hosts(names, finding, hosts)


def hosts_of(answer: Answer) -> list[str]:
    """Return the servers of an answer, the preferred first; none for a null MX."""
    pairs = (value.partition(" ") for value in answer.values)
    ordered = sorted((int(preference), host.rstrip(".")) for preference, _, host in pairs)
    return [] if any(not host for _, host in ordered) else [host for _, host in ordered][:MOST_HOSTS]


def _without_mx(names: Names, finding: DnsFinding) -> DnsFinding:
    found, why = _addresses(names, finding.name)
    if why:
        return replace(finding, verdict=DnsVerdict.UNASKED, why=why, proves=False)
    if not found:
        return replace(finding, why="no MX record and no address: the domain takes no mail")
    why = "no MX record; mail goes to the address of the domain itself"
    return replace(finding, verdict=DnsVerdict.OK, why=why, record=", ".join(found), proves=False)


def _judge_hosts(names: Names, finding: DnsFinding, hosts: list[str]) -> DnsFinding:
    wrong = {host: _wrong(names, host) for host in hosts}
    faults = {host: why for host, (why, _) in wrong.items() if why}
    unusable = {host for host, (_, is_unusable) in wrong.items() if is_unusable}
    unasked = next((why for why, is_unusable in wrong.values() if is_unusable is None), None)
    if unasked and len(unusable) == len(hosts) - 1:
        return replace(finding, verdict=DnsVerdict.UNASKED, why=unasked, proves=False)
    if not faults or (unasked and len(faults) == 1):
        count = "one mail server" if len(hosts) == 1 else f"{len(hosts)} mail servers"
        return replace(finding, verdict=DnsVerdict.OK, why=f"{count}, with addresses", proves=False)
    why = "; ".join(f"{host} {text}" for host, text in faults.items())
    return replace(finding, why=why, proves=len(unusable) == len(hosts))


def _wrong(names: Names, host: str) -> tuple[str, bool | None]:
    """Return what is wrong with a server, and whether it is unusable; None if that is not known."""
    if _is_address(host):
        return "is an IP address; an MX record needs a name", True
    found, why = _addresses(names, host)
    if why:
        return why, None
    if not found:
        is_gone = names.lookup(host, "A").status is Status.NO_NAME
        return "does not exist" if is_gone else "has no address", True
    private = [one for one in found if not _is_reachable(one)]
    if len(private) == len(found):
        return f"has only addresses that cannot be reached from outside ({', '.join(private[:3])})", True
    if names.lookup(host, "A").alias or names.lookup(host, "AAAA").alias:
        return "is a CNAME, which an MX record may not name (RFC 5321)", False
    return "", False


def _addresses(names: Names, host: str) -> tuple[list[str], str]:
    """Return the addresses of a host, and why they could not be asked."""
    answers = [names.lookup(host, kind) for kind in ("A", "AAAA")]
    found = [value for answer in answers for value in answer.values]
    unasked = next((answer.why for answer in answers if answer.status is Status.UNASKED), "")
    return found, "" if found else unasked


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_reachable(address: str) -> bool:
    found = ipaddress.ip_address(address)
    # Addresses for documentation (RFC 5737) stand for public ones.
    shown = any(found in network for network in _DOCUMENTATION if network.version == found.version)
    return shown or not (found.is_loopback or found.is_private or found.is_unspecified or found.is_link_local)


_DOCUMENTATION = [
    ipaddress.ip_network(one)
    for one in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
