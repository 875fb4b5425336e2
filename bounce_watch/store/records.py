"""What the store hands out: frozen values, built from rows and free of them."""

from dataclasses import dataclass
from datetime import datetime

from bounce_watch.model import (
    Bounce,
    Cause,
    Evidence,
    Incident,
    IncidentState,
    IncidentStep,
    Kind,
    LetterKind,
    OutboxState,
    Owner,
    Report,
    Side,
)
from bounce_watch.store.vocabulary import Change, MessageState, QuarantineState


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """Where a report went, and when it was made, else when it arrived, else when it was stored.

    `duplicate_of` is the report that was there before, None for a first copy.
    """

    report_id: int
    message_id: int
    duplicate_of: int | None
    reported_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIncident:
    """What a rule must know of the newest incident of its key: whether it is open, and its span."""

    number: int
    state: IncidentState
    first_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An incident that a rule opened or fed, and which of it."""

    incident: Incident
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """One mail at one place. `size` is its true length in bytes, `received_at` the arrival there."""

    id: int
    mailbox: str
    validity: int
    uid: str
    sha256: str | None
    size: int | None
    received_at: datetime | None
    seen_at: datetime
    kind: Kind | None
    state: MessageState
    reason: str | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRecord:
    """A stored report. Its `recipients` and `provenance` are empty: the bounces and `tests` tell them.

    `copies` are the reports that repeated this one.
    """

    id: int
    message_id: int
    recorded_at: datetime
    report: Report
    evidence: Evidence | None
    tests: tuple[tuple[str, str], ...]
    duplicate_of: int | None
    copies: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceRow:
    """A stored bounce. `bounce.occurred_at` is always set; `subject` is the bounced mail's."""

    id: int
    report_id: int
    message_id: int
    recorded_at: datetime
    bounce: Bounce
    subject: str | None = None
    original_message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """A mail in the outbox without its bytes. `preview` is its text."""

    id: int
    kind: LetterKind
    state: OutboxState
    event_key: str
    bw_id: str
    recipient: str
    subject: str
    preview: str
    cause: str | None
    report_id: int | None
    incident: int | None
    attempts: int
    created_at: datetime
    next_at: datetime | None
    sent_at: datetime | None
    server_reply: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """A mail that we hold the lease of: `content` is to be sent as it is."""

    id: int
    kind: LetterKind
    recipient: str
    subject: str
    bw_id: str
    content: bytes
    attempts: int
    lease_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyHistory:
    """What the gate needs to know. Held mails count for the person, not for the pace of sending.

    `last_reply_at` is the newest answer to this person about this cause, None for none.
    """

    last_reply_at: datetime | None
    replies_last_day: int
    mails_last_minute: int
    mails_last_hour: int
    event_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldRow:
    """A mail that the gate refused, and why."""

    id: int
    at: datetime
    recipient: str | None
    cause: str | None
    reason: str
    report_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceDetail:
    """Everything about one report: `bounce` is the row asked for, `bounces` all of its report."""

    bounce: BounceRow | None
    bounces: tuple[BounceRow, ...]
    report: ReportRecord
    message: MessageRecord
    mails: tuple[OutboxEntry, ...]
    withheld: tuple[WithheldRow, ...]
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDetail:
    """An incident with its proof: all bounces, its history, and the mails written about it."""

    incident: Incident
    previous: int | None
    quiet: bool
    bounces: tuple[BounceRow, ...]
    changes: tuple[IncidentStep, ...]
    mails: tuple[OutboxEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineEntry:
    """A message that could not be read, without its bytes."""

    id: int
    at: datetime
    sha256: str
    size: int
    reason: str
    attempts: int
    state: QuarantineState
    mailbox: str
    validity: int
    uid: str
    received_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """Which bounces: every value given must hold, None asks nothing. `since` <= time < `until` (UTC).

    Addresses match without regard to case; `*` in one stands for any text. `code` matches a status
    (5.1.1) or a reply code (550). `text` is looked for in addresses, diagnostic text and subject. `mail`
    is the bounced mail's Message-ID, `subject` its whole subject, or the hash that is kept instead of it.
    """

    sender: str | None = None
    sender_domain: str | None = None
    recipient: str | None = None
    domain: str | None = None
    code: str | None = None
    cause: Cause | None = None
    owner: Owner | None = None
    side: Side | None = None
    incident: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    mail: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Figures of the whole store.

    `messages` is counted by kind, `outbox` by state, `mails` (what we wrote) by kind, `withheld` by reason.
    """

    messages: dict[str, int]
    reports: int
    duplicates: int
    bounces: int
    incidents_open: int
    outbox: dict[str, int]
    mails: dict[str, int]
    withheld: dict[str, int]
    quarantined: int
    first_run_at: datetime | None
    last_success_fetch_at: datetime | None
    oldest_pending_at: datetime | None
    first_bounce_at: datetime | None
    last_bounce_at: datetime | None
