"""The one thing that SQLAlchemy has no common words for: insert a row, or change the one that is there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

Upsert = Mapping[str, Any]
"""The statement by the name of the database's dialect."""


def upsert(table: type[SQLModel], keys: Sequence[str], changes: Callable[[Any], Mapping[str, Any]]) -> Upsert:
    """Return an INSERT that changes the row with the same keys; `changes` sees the row that was refused."""
    made: dict[str, Any] = {}
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert)):
        statement: Any = insert(table)
        made[name] = statement.on_conflict_do_update(
            index_elements=list(keys), set_=dict(changes(statement.excluded))
        )
    return made


def run(session: Session, statement: Upsert, rows: Any) -> None:
    """Run the statement with these rows."""
    connection = session.connection()
    connection.execute(statement[connection.dialect.name], rows)


def insert_new(table: type[SQLModel], keys: Sequence[str], number: Any) -> Upsert:
    """Return an INSERT that leaves a row with the same keys alone, and tells the `number` of a new one."""
    made: dict[str, Any] = {}
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert)):
        made[name] = insert(table).on_conflict_do_nothing(index_elements=list(keys)).returning(number)
    return made


def stored(session: Session, statement: Upsert, row: Mapping[str, Any]) -> int | None:
    """Run what `insert_new` made; return the row's number, None when there is one with its keys."""
    connection = session.connection()
    number: int | None = connection.execute(statement[connection.dialect.name], row).scalar_one_or_none()
    return number
