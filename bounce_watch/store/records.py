"""Frozen values that the store returns instead of rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bounce_watch.model import (
    Bounce,
    Cause,
    Certainty,
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
    """The numbers and the time of a stored report.

    `reported_at` is when it was written, else when it arrived, else when it was stored. `duplicate_of` is
    the earlier report with the same fingerprint, None for a first copy, and `known` its trust level.
    """

    report_id: int
    message_id: int
    duplicate_of: int | None
    reported_at: datetime
    known: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIncident:
    """The state and span of the newest incident of a fingerprint, as the rules need them."""

    number: int
    state: IncidentState
    first_at: datetime
    resolved_at: datetime | None
    historical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An incident after a finding was recorded, and how the finding changed it."""

    incident: Incident
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """One message at one location. `size` is its full length in bytes, `received_at` its arrival there."""

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
    """A stored report. `report.recipients` and `report.provenance` are empty: see the bounces and `tests`.

    `copies` are the later reports with the same fingerprint.
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
    """A stored bounce. `bounce.occurred_at` is set; `subject` and `sent_at` are of the bounced message.

    `first_verdict` holds what was judged at first, as far as it differs, None if it was not judged again.
    """

    id: int
    report_id: int
    message_id: int
    recorded_at: datetime
    bounce: Bounce
    subject: str | None = None
    original_message_id: str | None = None
    sent_at: datetime | None = None
    first_verdict: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """A message in the outbox without its bytes. `preview` is its text."""

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
    held_for: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """A message that this process has leased; `content` is sent byte for byte."""

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
    """Earlier messages as the gate needs them. Held ones count for the person, not for the sending rate.

    `last_reply_at` is the newest reply to this person about this cause, None for none.
    """

    last_reply_at: datetime | None
    replies_last_day: int
    mails_last_minute: int
    mails_last_hour: int
    event_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldRow:
    """A message that the gate did not allow, and why."""

    id: int
    at: datetime
    recipient: str | None
    cause: str | None
    reason: str
    report_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceDetail:
    """Everything about one report: `bounce` is the requested row, `bounces` are all of its report."""

    bounce: BounceRow | None
    bounces: tuple[BounceRow, ...]
    report: ReportRecord
    message: MessageRecord
    mails: tuple[OutboxEntry, ...]
    withheld: tuple[WithheldRow, ...]
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDetail:
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
    """Conditions that a bounce must meet; None sets no condition. `since` <= time < `until` (UTC).

    Addresses match regardless of case; `*` matches any text. `code` matches a status (5.1.1) or a reply
    code (550). `text` is searched in addresses, diagnostic text and subject. `mail` is the Message-ID of the
    bounced message, `subject` its whole subject or its stored hash. `after` matches higher numbers.
    """

    sender: str | None = None
    sender_domain: str | None = None
    recipient: str | None = None
    domain: str | None = None
    code: str | None = None
    cause: Cause | None = None
    owner: Owner | None = None
    side: Side | None = None
    certainty: Certainty | None = None
    incident: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    mail: str | None = None
    subject: str | None = None
    after: int | None = None
