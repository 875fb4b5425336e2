"""Single facts about the store."""

from sqlmodel import Field, SQLModel

from bounce_watch.store.columns import SafeText
from bounce_watch.store.tables.fields import safe_text


class Meta(SQLModel, table=True):
    """Single facts about this store, by name."""

    __tablename__ = "meta"
    name: str = Field(primary_key=True, sa_type=SafeText)
    value: str = safe_text()
