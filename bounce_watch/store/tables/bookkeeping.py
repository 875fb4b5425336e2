"""Tables of daily counts, which outlive their bounces, of findings in DNS, the audit log, single values."""

from datetime import datetime

from sqlalchemy import Index, false
from sqlmodel import Field, SQLModel

from bounce_watch.store.database.columns import Key, SafeJson, SafeText
from bounce_watch.store.tables.fields import COUNTS_UP, instant, row_number, safe_text


class DailyCount(SQLModel, table=True):
    """Deleted messages and recipients of one day (UTC, as days since 1970) with one label.

    `dimension` is the kind of label (cause, domain, ...), `evidence` the trust level, empty for none.
    """

    __tablename__ = "daily_count"
    __table_args__ = ({"sqlite_with_rowid": False},)
    dimension: str = safe_text(primary_key=True)
    day: int = Field(primary_key=True, sa_type=Key)
    label: str = safe_text(primary_key=True)
    evidence: str = safe_text(primary_key=True)
    messages: int
    bounces: int


class DnsFinding(SQLModel, table=True):
    """What DNS said to one question from `first_at` until `asked_at`; another answer is another row."""

    __tablename__ = "dns_finding"
    __table_args__ = (Index("ix_dns_finding_subject", "subject", "question", "name", "id"), COUNTS_UP)
    id: int = row_number()
    question: str = safe_text()
    subject: str = safe_text()
    name: str = safe_text()
    verdict: str = safe_text()
    record: str | None = safe_text(default=None)
    why: str = safe_text()
    publish: str | None = safe_text(default=None)
    proves: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    ttl: int | None = Field(default=None, sa_type=Key)
    first_at: datetime = instant()
    asked_at: datetime = instant()


class Audit(SQLModel, table=True):
    """One administrative action: a purge, the erasure or the export of a person's data.

    `by` is the account on this machine. `figures` counts the affected rows by kind.
    """

    __tablename__ = "audit"
    __table_args__ = (COUNTS_UP,)
    id: int = row_number()
    at: datetime = instant()
    by: str = safe_text()
    deed: str = safe_text()
    figures: dict[str, int | str] = Field(sa_type=SafeJson)


class Meta(SQLModel, table=True):
    """Single values about this store, by name."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True, sa_type=SafeText)
    value: str = safe_text()
