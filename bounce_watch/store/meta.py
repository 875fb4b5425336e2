"""The table `meta`: single values by name, each written in one statement that needs no lock."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from bounce_watch.store import tables
from bounce_watch.store.database.upsert import upsert

_META = tables.Meta
_SET = upsert(_META, ("name",), lambda new: {"value": new.value})


def read_value(session: Session, name: str) -> str | None:
    """Return a value, None when none was written."""
    return session.exec(select(_META.value).where(col(_META.name) == name)).first()


def read_time(session: Session, name: str) -> datetime | None:
    """Return a time, None when none was written."""
    value = read_value(session, name)
    return None if value is None else datetime.fromisoformat(value)


def read_values(session: Session, prefix: str) -> dict[str, str]:
    """Return the values whose names start with `prefix`, by the rest of their names."""
    query = select(_META.name, _META.value).where(col(_META.name).startswith(prefix, autoescape=True))
    return {name.removeprefix(prefix): value for name, value in session.exec(query)}


def write_value(session: Session, name: str, value: str | int | datetime) -> None:
    """Write a value, replacing any earlier one."""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    connection = session.connection()
    connection.execute(_SET[connection.dialect.name], {"name": name, "value": text})


def delete_values(session: Session, names: Collection[str]) -> bool:
    """Delete values; return whether any existed."""
    gone: Any = session.connection().execute(delete(_META).where(col(_META.name).in_(names)))
    return bool(gone.rowcount)
