"""The fields that every table is made of."""

from typing import Any

from sqlmodel import Field

from bounce_watch.store.database.columns import Instant, Key, SafeText

COUNTS_UP = {"sqlite_autoincrement": True}
"""Row numbers never come back after a deletion."""


def row_number() -> Any:
    """Return the primary key; the database counts it up."""
    return Field(default=None, primary_key=True, sa_type=Key)


def refers_to(column: str, **options: Any) -> Any:
    """Return a number that names a row of another table."""
    return Field(sa_type=Key, foreign_key=column, **options)


def safe_text(**options: Any) -> Any:
    """Return text that may come from a mail."""
    return Field(sa_type=SafeText, **options)


def instant(**options: Any) -> Any:
    """Return a point of time."""
    return Field(sa_type=Instant, **options)
