"""MTA-STS and DANE: does a domain demand TLS in a way that senders can satisfy (RFC 8461, RFC 7672)?

The policy of MTA-STS is not fetched: that would be a web request to a server that a stranger names.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from bounce_watch.dns.finding import begin_finding
from bounce_watch.dns.mx import hosts_of
from bounce_watch.dns.resolver import Names, Status
from bounce_watch.dns.tags import BadTags, read_tags
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question

_DIGEST_LENGTHS = {1: 64, 2: 128}
"""Hexadecimal digits of a TLSA digest by its matching type."""


def ask_mta_sts(names: Names, domain: str, now: datetime) -> DnsFinding:
    """Judge the record of MTA-STS and the TLSA records of the mail servers."""
    answer = names.lookup(f"_mta-sts.{domain}", "TXT")
    records = [value for value in answer.values if "sts" in value.lower()[:12]]
    name = f"_mta-sts.{domain}"
    finding = begin_finding(
        Question.MTA_STS, domain, name, answer, now, record=" | ".join(records), proves=False
    )
    if finding.verdict is DnsVerdict.UNASKED:
        return finding
    unusable = next(_unusable_tlsa(names, domain), None)
    if unusable is not None:
        name, record, why = unusable
        return replace(finding, name=name, record=record, why=why, proves=True)
    if not records:
        return replace(finding, verdict=DnsVerdict.ABSENT, why="no MTA-STS record, no unusable TLSA record")
    wrong = next(_wrong(names, domain, records), None)
    if wrong is not None:
        return replace(finding, why=wrong)
    why = "the record is valid and mta-sts has an address; the policy was not fetched"
    return replace(finding, verdict=DnsVerdict.OK, why=why)


def _wrong(names: Names, domain: str, records: list[str]) -> Iterator[str]:
    if len(records) > 1:
        yield f"{len(records)} MTA-STS records, one is allowed: senders ignore them"
    try:
        tags = read_tags(records[0])
    except BadTags as error:
        yield str(error)
        return
    if tags.get("v") != "STSv1" or next(iter(tags)) != "v":
        yield "v=STSv1 must be the first tag"
    if not re.fullmatch(r"[A-Za-z0-9]{1,32}", tags.get("id", "")):
        yield f"id={tags.get('id', '')[:40]}: must be 1 to 32 letters and digits"
    host = f"mta-sts.{domain}"
    answers = [names.lookup(host, kind) for kind in ("A", "AAAA")]
    if all(answer.status in (Status.NO_NAME, Status.NO_DATA) for answer in answers):
        yield f"{host}, which must serve the policy, has no address"


def _unusable_tlsa(names: Names, domain: str) -> Iterator[tuple[str, str, str]]:
    """Yield the name, records and reason of each server whose TLSA records are all unusable."""
    mx = names.lookup(domain, "MX")
    for host in hosts_of(mx) if mx.values else []:
        name = f"_25._tcp.{host}"
        answer = names.lookup(name, "TLSA")
        reasons = [_unusable(value) for value in answer.values]
        if reasons and all(reasons):
            yield name, " | ".join(answer.values), f"no usable TLSA record of {host}: {reasons[0]}"


def _unusable(record: str) -> str:
    """Return why a TLSA record is unusable for SMTP (RFC 7672 section 3.1), "" if it is usable."""
    usage, selector, matching, *rest = record.split()
    digest = "".join(rest)
    if usage not in ("2", "3"):
        return f"usage {usage}: SMTP knows 2 and 3 only"
    if selector not in ("0", "1"):
        return f"selector {selector} is unknown"
    if matching not in ("0", "1", "2"):
        return f"matching type {matching} is unknown"
    wanted = _DIGEST_LENGTHS.get(int(matching))
    if wanted is not None and len(digest) != wanted:
        return f"matching type {matching} needs {wanted // 2} bytes, not {len(digest) // 2}"
    return ""
