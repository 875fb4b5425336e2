"""Fields that the tables share."""

from typing import Any

from sqlmodel import Field

from bounce_watch.store.database.columns import Instant, Key, SafeText

COUNTS_UP = {"sqlite_autoincrement": True}
"""Row numbers are never used again after a deletion."""


def row_number() -> Any:
    """Return a primary key that the database counts up."""
    return Field(default=None, primary_key=True, sa_type=Key)


def refers_to(column: str, **options: Any) -> Any:
    return Field(sa_type=Key, foreign_key=column, **options)


def safe_text(**options: Any) -> Any:
    """Return text that may come from a message."""
    return Field(sa_type=SafeText, **options)


def instant(**options: Any) -> Any:
    return Field(sa_type=Instant, **options)
