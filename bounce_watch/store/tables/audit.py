"""What was done to the store as a whole, by people and by the daily upkeep. Never names whom it concerns."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bounce_watch.store.columns import SafeJson
from bounce_watch.store.tables.fields import COUNTS_UP, instant, row_number, safe_text


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
