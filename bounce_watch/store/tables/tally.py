"""Counters that are kept while mail comes in, so that questions about all time need not count all rows."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bounce_watch.store.columns import Key
from bounce_watch.store.tables.fields import instant, refers_to, safe_text


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
