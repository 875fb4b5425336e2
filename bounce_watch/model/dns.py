"""What DNS said to one question about a domain or an address, and what that proves."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Question(StrEnum):
    """What is asked; `mta_sts` is about the TLS policies of a receiving domain, TLSA records included."""

    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    MX = "mx"
    MTA_STS = "mta_sts"
    PTR = "ptr"
    BLOCKLIST = "blocklist"


NO_DOMAIN = "the domain does not exist"
NULL_MX = "null MX (0 .)"
"""How the reasons of two findings about MX begin, which letters tell in their own words."""


class DnsVerdict(StrEnum):
    """`fault`: wrong as published. `absent`: nothing is published. `unasked`: DNS gave no usable answer."""

    OK = "ok"
    FAULT = "fault"
    ABSENT = "absent"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsFinding:
    """One answered question. `subject` is the domain or IP address it is about, `name` what was looked up.

    `record` is what DNS holds, `publish` the record that repairs it, evaluated before; None for none.
    `proves`: this alone makes receivers reject, or delivery fail. `ttl` is how many seconds caches may keep
    the answer. `first_at` is when this answer was first seen, `asked_at` when it was last seen (UTC).
    """

    question: Question
    subject: str
    name: str
    verdict: DnsVerdict
    record: str | None
    why: str
    asked_at: datetime
    publish: str | None = None
    ttl: int | None = None
    proves: bool = False
    first_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange:
    """A record that changed between two looks, after `since` and not after `until` (UTC). None: no record."""

    question: Question
    name: str
    before: str | None
    after: str | None
    since: datetime
    until: datetime
