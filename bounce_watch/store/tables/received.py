"""Tables of messages, their reports and bounces, and of unreadable messages."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bounce_watch.store.database.columns import SafeInteger, SafeJson
from bounce_watch.store.tables.fields import COUNTS_UP, instant, refers_to, row_number, safe_text


class Message(SQLModel, table=True):
    """One message at one location in a mailbox."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("mailbox", "validity", "uid", name="uq_message_place"),
        Index("ix_message_sha256", "sha256"),
        Index("ix_message_state", "state", "id"),
        Index("ix_message_kind", "kind", "id"),
        COUNTS_UP,
    )
    id: int = row_number()
    mailbox: str = safe_text()
    validity: int = Field(sa_type=SafeInteger)
    uid: str = safe_text()
    sha256: str | None = safe_text(default=None)
    size: int | None = Field(default=None, sa_type=SafeInteger)
    received_at: datetime | None = instant(default=None)
    seen_at: datetime = instant()
    kind: str | None = safe_text(default=None)
    state: str = safe_text()
    reason: str | None = safe_text(default=None)
    attempts: int = 0


class Report(SQLModel, table=True):
    """One report in a message. A duplicate refers to the first report with its fingerprint."""

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
        Index("ix_report_subject", "original_subject"),
        COUNTS_UP,
    )
    id: int = row_number()
    message_id: int = refers_to("message.id")
    recorded_at: datetime = instant()
    kind: str = safe_text()
    format: str = safe_text()
    envelopes: list[str] = Field(sa_type=SafeJson)
    evidence: str | None = safe_text(default=None)
    tests: list[list[str]] = Field(sa_type=SafeJson)
    fingerprint: str | None = safe_text(default=None)
    duplicate_of: int | None = refers_to("report.id", default=None)
    forwarded_by: str | None = safe_text(default=None)
    language: str | None = safe_text(default=None)
    report_message_id: str | None = safe_text(default=None)
    report_date: datetime | None = instant(default=None)
    reporting_mta: str | None = safe_text(default=None)
    received_from_mta: str | None = safe_text(default=None)
    arrival_date: datetime | None = instant(default=None)
    original_envelope_id: str | None = safe_text(default=None)
    original_message_id: str | None = safe_text(default=None)
    original_sender: str | None = safe_text(default=None)
    original_subject: str | None = safe_text(default=None)
    original_date: datetime | None = instant(default=None)
    original_automatic: list[str] = Field(sa_type=SafeJson)


class Bounce(SQLModel, table=True):
    """One recipient of one report, with the number of the message, so that rules need no join.

    `first_verdict` holds the first value of each column that judging again changed, None if none did.
    """

    __tablename__ = "bounce"
    __table_args__ = (
        Index("ix_bounce_occurred", "occurred_at"),
        Index("ix_bounce_cause", "cause", "occurred_at", "action", "message_id"),
        Index("ix_bounce_owner", "owner", "occurred_at", "action", "message_id"),
        Index("ix_bounce_status", "status", "occurred_at", "action", "message_id"),
        Index("ix_bounce_reply_code", "reply_code", "occurred_at"),
        Index("ix_bounce_sender", "sender_key", "occurred_at", "action", "message_id"),
        Index("ix_bounce_sender_domain", "sender_domain", "occurred_at"),
        Index("ix_bounce_recipient", "recipient_key", "occurred_at", "action", "message_id"),
        Index("ix_bounce_recipient_domain", "recipient_domain", "occurred_at", "action", "message_id"),
        Index("ix_bounce_report", "report_id"),
        Index("ix_bounce_message", "message_id"),
        COUNTS_UP,
    )
    id: int = row_number()
    report_id: int = refers_to("report.id")
    message_id: int = refers_to("message.id")
    recorded_at: datetime = instant()
    occurred_at: datetime = instant()
    recipient: str = safe_text()
    recipient_key: str = safe_text()
    recipient_domain: str | None = safe_text(default=None)
    recipient_decoded: str | None = safe_text(default=None)
    original_recipient: str | None = safe_text(default=None)
    sender: str | None = safe_text(default=None)
    sender_key: str | None = safe_text(default=None)
    sender_domain: str | None = safe_text(default=None)
    action: str = safe_text()
    status: str | None = safe_text(default=None)
    reply_code: str | None = safe_text(default=None)
    cause: str = safe_text()
    persistence: str = safe_text()
    owner: str = safe_text()
    side: str | None = safe_text(default=None)
    evidence: str | None = safe_text(default=None)
    remote_mta: str | None = safe_text(default=None)
    diagnostic_code: str | None = safe_text(default=None)
    remote_status: str | None = safe_text(default=None)
    remote_reply_code: str | None = safe_text(default=None)
    entry: str | None = safe_text(default=None)
    why: str | None = safe_text(default=None)
    details: dict[str, str | int] | None = Field(default=None, sa_type=SafeJson)
    certainty: str | None = safe_text(default=None)
    catalogue: str | None = safe_text(default=None)
    first_verdict: dict[str, Any] | None = Field(default=None, sa_type=SafeJson)
    proven: str | None = safe_text(default=None)


class Quarantined(SQLModel, table=True):
    """The bytes of an unreadable message."""

    __tablename__ = "quarantined"
    __table_args__ = (
        Index("ix_quarantined_state", "state", "id"),
        Index("ix_quarantined_message", "message_id"),
        COUNTS_UP,
    )
    id: int = row_number()
    message_id: int = refers_to("message.id")
    at: datetime = instant()
    sha256: str = safe_text()
    raw: bytes = Field(sa_type=LargeBinary)
    reason: str = safe_text()
    attempts: int = 0
    state: str = safe_text()
