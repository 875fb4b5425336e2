"""Counters that are kept while mail comes in, so that questions about all time need not count all rows.

What was done to the store as a whole, by people and by the daily upkeep. Never names whom it concerns.

Single facts about the store."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bounce_watch.store.database.columns import Key, SafeJson, SafeText
from bounce_watch.store.tables.fields import COUNTS_UP, instant, refers_to, row_number, safe_text


class Tally(SQLModel, table=True):
    """How many mails and recipients failed for one label in one period.

    `dimension` is what is counted (a cause, a sender, ...), `grain` how long the period is, `period` its
    number since 1970 (UTC), `evidence` the tier, empty for none.
    """

    __tablename__ = "tally"
    __table_args__ = ({"sqlite_with_rowid": False},)
    dimension: str = safe_text(primary_key=True)
    grain: str = safe_text(primary_key=True)
    period: int = Field(primary_key=True, sa_type=Key)
    label: str = safe_text(primary_key=True)
    evidence: str = safe_text(primary_key=True)
    messages: int
    bounces: int


class Scattered(SQLModel, table=True):
    """A message whose rows lie in several days or tiers: no counter of days holds it."""

    __tablename__ = "scattered"
    message_id: int = refers_to("message.id", primary_key=True)
    first_at: datetime = instant()
    last_at: datetime = instant()


class Audit(SQLModel, table=True):
    """One deed: deleting what is old, forgetting a person, handing out a person's data.

    `by` is the account on this machine. `figures` says how many rows of what.
    """

    __tablename__ = "audit"
    __table_args__ = (COUNTS_UP,)
    id: int = row_number()
    at: datetime = instant()
    by: str = safe_text()
    deed: str = safe_text()
    figures: dict[str, int | str] = Field(sa_type=SafeJson)


class Meta(SQLModel, table=True):
    """Single facts about this store, by name."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True, sa_type=SafeText)
    value: str = safe_text()
