"""The tables. Rows stay inside this package; migrations/ holds the same shape as steps.

Times are microseconds since 1970 (UTC). Columns ending in `_key` hold the searchable form of the
address beside them. Row numbers never come back after a deletion: the digest counts by them.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bounce_watch.store.columns import Instant, Key, LongText, SafeInteger, SafeJson, SafeText

_COUNTS_UP = {"sqlite_autoincrement": True}


def _key() -> Any:
    return Field(default=None, primary_key=True, sa_type=Key)


def _to(column: str, **options: Any) -> Any:
    return Field(sa_type=Key, foreign_key=column, **options)


def _text(**options: Any) -> Any:
    return Field(sa_type=SafeText, **options)


def _time(**options: Any) -> Any:
    return Field(sa_type=Instant, **options)


class Message(SQLModel, table=True):
    """One mail at one place in one mailbox."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("mailbox", "validity", "uid", name="uq_message_place"),
        Index("ix_message_sha256", "sha256"),
        Index("ix_message_state", "state", "id"),
        Index("ix_message_kind", "kind", "id"),
        _COUNTS_UP,
    )
    id: int = _key()
    mailbox: str = _text()
    validity: int = Field(sa_type=SafeInteger)
    uid: str = _text()
    sha256: str | None = _text(default=None)
    size: int | None = Field(default=None, sa_type=SafeInteger)
    received_at: datetime | None = _time(default=None)
    seen_at: datetime = _time()
    kind: str | None = _text(default=None)
    state: str = _text()
    reason: str | None = _text(default=None)
    attempts: int = 0


class Report(SQLModel, table=True):
    """One report found in a message; a copy points at the report that was there first."""

    __tablename__ = "report"
    __table_args__ = (
        Index(
            "uq_report_fingerprint",
            "fingerprint",
            unique=True,
            sqlite_where=text("duplicate_of IS NULL"),
            postgresql_where=text("duplicate_of IS NULL"),
        ),
        Index("ix_report_message", "message_id"),
        Index("ix_report_duplicate_of", "duplicate_of"),
        Index("ix_report_original", "original_message_id"),
        _COUNTS_UP,
    )
    id: int = _key()
    message_id: int = _to("message.id")
    recorded_at: datetime = _time()
    kind: str = _text()
    format: str = _text()
    envelopes: list[str] = Field(sa_type=SafeJson)
    evidence: str | None = _text(default=None)
    tests: list[list[str]] = Field(sa_type=SafeJson)
    fingerprint: str | None = _text(default=None)
    duplicate_of: int | None = _to("report.id", default=None)
    forwarded_by: str | None = _text(default=None)
    language: str | None = _text(default=None)
    report_message_id: str | None = _text(default=None)
    report_date: datetime | None = _time(default=None)
    reporting_mta: str | None = _text(default=None)
    received_from_mta: str | None = _text(default=None)
    arrival_date: datetime | None = _time(default=None)
    original_envelope_id: str | None = _text(default=None)
    original_message_id: str | None = _text(default=None)
    original_sender: str | None = _text(default=None)
    original_subject: str | None = _text(default=None)
    original_date: datetime | None = _time(default=None)
    original_automatic: list[str] = Field(sa_type=SafeJson)


class Bounce(SQLModel, table=True):
    """One recipient of one report, with the report's message beside it so that rules need no join."""

    __tablename__ = "bounce"
    __table_args__ = (
        Index("ix_bounce_occurred", "occurred_at"),
        Index("ix_bounce_cause", "cause", "occurred_at"),
        Index("ix_bounce_owner", "owner", "occurred_at"),
        Index("ix_bounce_status", "status", "occurred_at"),
        Index("ix_bounce_reply_code", "reply_code", "occurred_at"),
        Index("ix_bounce_sender", "sender_key", "occurred_at"),
        Index("ix_bounce_sender_domain", "sender_domain", "occurred_at"),
        Index("ix_bounce_recipient", "recipient_key", "occurred_at"),
        Index("ix_bounce_recipient_domain", "recipient_domain", "occurred_at"),
        Index("ix_bounce_report", "report_id"),
        Index("ix_bounce_message", "message_id"),
        _COUNTS_UP,
    )
    id: int = _key()
    report_id: int = _to("report.id")
    message_id: int = _to("message.id")
    recorded_at: datetime = _time()
    occurred_at: datetime = _time()
    recipient: str = _text()
    recipient_key: str = _text()
    recipient_domain: str | None = _text(default=None)
    recipient_decoded: str | None = _text(default=None)
    original_recipient: str | None = _text(default=None)
    sender: str | None = _text(default=None)
    sender_key: str | None = _text(default=None)
    sender_domain: str | None = _text(default=None)
    action: str = _text()
    status: str | None = _text(default=None)
    reply_code: str | None = _text(default=None)
    cause: str = _text()
    persistence: str = _text()
    owner: str = _text()
    side: str | None = _text(default=None)
    evidence: str | None = _text(default=None)
    remote_mta: str | None = _text(default=None)
    diagnostic_code: str | None = _text(default=None)
    remote_status: str | None = _text(default=None)
    remote_reply_code: str | None = _text(default=None)
    entry: str | None = _text(default=None)
    why: str | None = _text(default=None)


class Incident(SQLModel, table=True):
    """A finding with a life. Senders, domains and statuses are the newest values first met."""

    __tablename__ = "incident"
    __table_args__ = (
        Index(
            "uq_incident_unresolved",
            "fingerprint",
            unique=True,
            sqlite_where=text("state <> 'resolved'"),
            postgresql_where=text("state <> 'resolved'"),
        ),
        Index("ix_incident_fingerprint", "fingerprint", "number"),
        Index("ix_incident_state", "state", "number"),
        _COUNTS_UP,
    )
    number: int = _key()
    fingerprint: str = _text()
    rule_id: str = _text()
    key: str = _text()
    state: str = _text()
    previous: int | None = _to("incident.number", default=None)
    quiet: bool = False
    opened_at: datetime = _time()
    updated_at: datetime = _time()
    resolved_at: datetime | None = _time(default=None)
    title: str = _text()
    severity: str = _text()
    owner: str = _text()
    playbook: str = _text()
    first_at: datetime = _time()
    last_at: datetime = _time()
    messages: int = 0
    grown_at: int = 0
    senders: list[str] = Field(sa_type=SafeJson)
    recipient_domains: list[str] = Field(sa_type=SafeJson)
    statuses: list[str] = Field(sa_type=SafeJson)


class IncidentEvent(SQLModel, table=True):
    """A bounce that proves an incident."""

    __tablename__ = "incident_event"
    __table_args__ = (Index("ix_incident_event_bounce", "bounce_id"),)
    incident: int = _to("incident.number", primary_key=True)
    bounce_id: int = _to("bounce.id", primary_key=True)


class IncidentChange(SQLModel, table=True):
    """One line of an incident's history."""

    __tablename__ = "incident_change"
    __table_args__ = (Index("ix_incident_change_incident", "incident", "id"), _COUNTS_UP)
    id: int = _key()
    incident: int = _to("incident.number")
    at: datetime = _time()
    change: str = _text()
    by: str = _text()
    note: str = _text()
    messages: int = 0


class Outgoing(SQLModel, table=True):
    """One mail that we write: the outbox. `raw` is frozen, a repeated sending is byte-identical."""

    __tablename__ = "outgoing"
    __table_args__ = (
        UniqueConstraint("event_key", name="uq_outgoing_event"),
        UniqueConstraint("bw_id", name="uq_outgoing_bw_id"),
        Index("ix_outgoing_due", "state", "next_at", "id"),
        Index("ix_outgoing_recipient", "recipient_key", "cause", "created_at"),
        Index("ix_outgoing_person", "recipient_key", "kind", "created_at"),
        Index("ix_outgoing_released", "pending_since"),
        Index("ix_outgoing_sent", "sent_at"),
        Index("ix_outgoing_report", "report_id"),
        Index("ix_outgoing_incident", "incident"),
        _COUNTS_UP,
    )
    id: int = _key()
    kind: str = _text()
    event_key: str = _text()
    bw_id: str = _text()
    recipient: str = _text()
    recipient_key: str = _text()
    subject: str = _text()
    preview: str = Field(sa_type=LongText)
    raw: bytes = Field(sa_type=LargeBinary)
    cause: str | None = _text(default=None)
    report_id: int | None = _to("report.id", default=None)
    incident: int | None = _to("incident.number", default=None)
    state: str = _text()
    attempts: int = 0
    created_at: datetime = _time()
    pending_since: datetime | None = _time(default=None)
    next_at: datetime | None = _time(default=None)
    lease_owner: str | None = _text(default=None)
    lease_until: datetime | None = _time(default=None)
    server_reply: str | None = _text(default=None)
    sent_at: datetime | None = _time(default=None)


class Withheld(SQLModel, table=True):
    """A mail that the gate refused, and why."""

    __tablename__ = "withheld"
    __table_args__ = (
        Index("ix_withheld_recipient", "recipient_key", "at"),
        Index("ix_withheld_report", "report_id"),
        _COUNTS_UP,
    )
    id: int = _key()
    at: datetime = _time()
    recipient: str | None = _text(default=None)
    recipient_key: str | None = _text(default=None)
    cause: str | None = _text(default=None)
    reason: str = _text()
    report_id: int | None = _to("report.id", default=None)


class Digest(SQLModel, table=True):
    """A digest that was made: half-open spans of row numbers, so each row is in exactly one."""

    __tablename__ = "digest"
    local_date: date = Field(primary_key=True)
    time_zone: str = _text()
    since: datetime = _time()
    until: datetime = _time()
    message_to: int = Field(sa_type=Key)
    report_to: int = Field(sa_type=Key)
    bounce_to: int = Field(sa_type=Key)
    change_to: int = Field(sa_type=Key)
    withheld_to: int = Field(sa_type=Key)
    quarantined_to: int = Field(sa_type=Key)
    event_key: str | None = _text(default=None)


class Quarantined(SQLModel, table=True):
    """The bytes of a message that nobody could read."""

    __tablename__ = "quarantined"
    __table_args__ = (
        Index("ix_quarantined_state", "state", "id"),
        Index("ix_quarantined_message", "message_id"),
        _COUNTS_UP,
    )
    id: int = _key()
    message_id: int = _to("message.id")
    at: datetime = _time()
    sha256: str = _text()
    raw: bytes = Field(sa_type=LargeBinary)
    reason: str = _text()
    attempts: int = 0
    state: str = _text()


class Meta(SQLModel, table=True):
    """Single facts about this store, by name."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True, sa_type=SafeText)
    value: str = _text()
