"""Tables of outgoing messages, of messages that were not sent, and of digests."""

from datetime import date, datetime

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from bounce_watch.store.database.columns import Key, LongText
from bounce_watch.store.tables.fields import COUNTS_UP, instant, refers_to, row_number, safe_text


class Outgoing(SQLModel, table=True):
    """One outgoing message. `raw` is frozen, so that sending it again gives identical bytes.

    `language`: None if it was written before languages were stored.
    `held_for`: None for an admin's release, `breaker` until the breaker is cleared.
    """

    __tablename__ = "outgoing"
    __table_args__ = (
        UniqueConstraint("event_key", name="uq_outgoing_event"),
        UniqueConstraint("bw_id", name="uq_outgoing_bw_id"),
        Index("ix_outgoing_due", "state", "next_at", "id"),
        Index("ix_outgoing_state", "state", "id"),
        Index("ix_outgoing_recipient", "recipient_key", "cause", "created_at"),
        Index("ix_outgoing_person", "recipient_key", "kind", "created_at"),
        Index("ix_outgoing_released", "pending_since"),
        Index("ix_outgoing_sent", "sent_at"),
        Index("ix_outgoing_report", "report_id"),
        Index("ix_outgoing_incident", "incident"),
        COUNTS_UP,
    )
    id: int = row_number()
    kind: str = safe_text()
    event_key: str = safe_text()
    bw_id: str = safe_text()
    recipient: str = safe_text()
    recipient_key: str = safe_text()
    subject: str = safe_text()
    preview: str = Field(sa_type=LongText)
    raw: bytes = Field(sa_type=LargeBinary)
    language: str | None = safe_text(default=None)
    cause: str | None = safe_text(default=None)
    report_id: int | None = refers_to("report.id", default=None)
    incident: int | None = refers_to("incident.number", default=None)
    state: str = safe_text()
    held_for: str | None = safe_text(default=None)
    attempts: int = 0
    created_at: datetime = instant()
    pending_since: datetime | None = instant(default=None)
    next_at: datetime | None = instant(default=None)
    lease_owner: str | None = safe_text(default=None)
    lease_until: datetime | None = instant(default=None)
    server_reply: str | None = safe_text(default=None)
    sent_at: datetime | None = instant(default=None)


class Withheld(SQLModel, table=True):
    """A message that the gate did not allow, and why."""

    __tablename__ = "withheld"
    __table_args__ = (
        Index("ix_withheld_recipient", "recipient_key", "at"),
        Index("ix_withheld_reason", "reason"),
        Index("ix_withheld_at", "at"),
        Index("ix_withheld_report", "report_id"),
        COUNTS_UP,
    )
    id: int = row_number()
    at: datetime = instant()
    recipient: str | None = safe_text(default=None)
    recipient_key: str | None = safe_text(default=None)
    cause: str | None = safe_text(default=None)
    reason: str = safe_text()
    report_id: int | None = refers_to("report.id", default=None)


class Digest(SQLModel, table=True):
    """A digest with the row numbers that end its spans, so that each row is in exactly one digest."""

    __tablename__ = "digest"
    local_date: date = Field(primary_key=True)
    time_zone: str = safe_text()
    since: datetime = instant()
    until: datetime = instant()
    message_to: int = Field(sa_type=Key)
    report_to: int = Field(sa_type=Key)
    bounce_to: int = Field(sa_type=Key)
    change_to: int = Field(sa_type=Key)
    withheld_to: int = Field(sa_type=Key)
    quarantined_to: int = Field(sa_type=Key)
    event_key: str | None = safe_text(default=None)
