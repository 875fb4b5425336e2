"""The one thing that SQLAlchemy has no common words for: insert a row, or change the one that is there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

Upsert = Mapping[str, Any]
"""The statement by the name of the database's dialect."""


def upsert(
    table: type[SQLModel],
    keys: Sequence[str],
    changes: Callable[[Any], Mapping[str, Any]],
    *,
    where: ColumnElement[bool] | None = None,
    returning: Any = (),
) -> Upsert:
    """Return an INSERT that changes the row with the same keys; `changes` sees the row that was refused.

    A row that does not meet `where` stays as it is, and nothing is returned for it.
    """
    made: dict[str, Any] = {}
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert)):
        statement: Any = insert(table)
        statement = statement.on_conflict_do_update(
            index_elements=list(keys), set_=dict(changes(statement.excluded)), where=where
        )
        made[name] = statement.returning(*returning) if returning else statement
    return made


def insert_new(table: type[SQLModel], *, returning: Any) -> Upsert:
    """Return an INSERT that does nothing, and returns nothing, where a unique index knows the row."""
    return {
        name: insert(table).on_conflict_do_nothing().returning(returning)
        for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
    }
