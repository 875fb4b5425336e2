"""Insert a row or change the existing one: SQLAlchemy has this only in a version per dialect."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

Upsert = Mapping[str, Any]
"""The statement for each dialect, by the name of the dialect."""


def upsert(
    table: type[SQLModel],
    keys: Sequence[str],
    changes: Callable[[Any], Mapping[str, Any]],
    *,
    where: ColumnElement[bool] | None = None,
    returning: Any = (),
) -> Upsert:
    """Return an INSERT that changes the row with the same keys; `changes` gets the values of the new row.

    An existing row that does not meet `where` is not changed, and nothing is returned for it.
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
    """Return an INSERT that does nothing, and returns nothing, when the row violates a unique index."""
    return {
        name: insert(table).on_conflict_do_nothing().returning(returning)
        for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
    }
