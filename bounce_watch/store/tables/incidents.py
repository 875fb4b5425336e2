"""Tables of incidents, their bounces and their history."""

from datetime import datetime

from sqlalchemy import Index, text, true
from sqlmodel import Field, SQLModel

from bounce_watch.store.database.columns import Key, SafeInteger, SafeJson
from bounce_watch.store.tables.fields import COUNTS_UP, instant, refers_to, row_number, safe_text


class Incident(SQLModel, table=True):
    """An incident. Senders, domains and statuses are lists without duplicates, in order of appearance.

    `told_at` is the time of the newest alert, `told_step` the growth it reported (1 at first, then 2, 4, 8;
    0 for no alert yet), `told_messages` the number of messages in the first alert. `quiet`: from old mail.
    `opened_in` is the message that opened it; that row may be gone.
    """

    __tablename__ = "incident"
    __table_args__ = (
        Index(
            "uq_incident_unresolved",
            "fingerprint",
            unique=True,
            sqlite_where=text("state NOT IN ('resolved', 'archived')"),
            postgresql_where=text("state NOT IN ('resolved', 'archived')"),
        ),
        Index("ix_incident_fingerprint", "fingerprint", "number"),
        Index("ix_incident_state", "state", "number"),
        COUNTS_UP,
    )
    number: int = row_number()
    fingerprint: str = safe_text()
    rule_id: str = safe_text()
    key: str = safe_text()
    state: str = safe_text()
    previous: int | None = refers_to("incident.number", default=None)
    quiet: bool = False
    opened_at: datetime = instant()
    opened_in: int | None = Field(default=None, sa_type=SafeInteger)
    updated_at: datetime = instant()
    resolved_at: datetime | None = instant(default=None)
    quiet_since: datetime | None = instant(default=None)
    title: str = safe_text()
    severity: str = safe_text()
    owner: str = safe_text()
    playbook: str = safe_text()
    first_at: datetime = instant()
    last_at: datetime = instant()
    messages: int = 0
    grown_at: int = 0
    senders: list[str] = Field(sa_type=SafeJson)
    recipient_domains: list[str] = Field(sa_type=SafeJson)
    statuses: list[str] = Field(sa_type=SafeJson)
    confirmed: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    acknowledged_at: datetime | None = instant(default=None)
    acknowledged_by: str | None = safe_text(default=None)
    silenced_until: datetime | None = instant(default=None)
    silenced_at: datetime | None = instant(default=None)
    suppressed_by: int | None = Field(default=None, sa_type=Key)
    reopened: int = 0
    told_at: datetime | None = instant(default=None)
    told_step: int = 0
    told_messages: int = 0


class IncidentEvent(SQLModel, table=True):
    """A bounce that belongs to an incident."""

    __tablename__ = "incident_event"
    __table_args__ = (Index("ix_incident_event_bounce", "bounce_id"),)
    incident: int = refers_to("incident.number", primary_key=True)
    bounce_id: int = refers_to("bounce.id", primary_key=True)


class IncidentChange(SQLModel, table=True):
    """One line of an incident's history."""

    __tablename__ = "incident_change"
    __table_args__ = (Index("ix_incident_change_incident", "incident", "id"), COUNTS_UP)
    id: int = row_number()
    incident: int = refers_to("incident.number")
    at: datetime = instant()
    change: str = safe_text()
    by: str = safe_text()
    note: str = safe_text()
    messages: int = 0
