"""Rows that nobody asks for yet are written together: a statement for many costs little more than for one.

Whoever asks for rows of the same table has them written first, so that nobody can tell the difference.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlmodel import Session, SQLModel

_REMEMBERED = "remembered"
_PUT_OFF = "put_off"

Table = type[SQLModel]


def remembered(session: Session, kind: str) -> dict[Any, Any]:
    """Return what this session remembers of a kind, empty at first. It ends with the session."""
    kept: dict[Any, Any] = session.info.setdefault(_REMEMBERED, {}).setdefault(kind, {})
    return kept


@contextmanager
def putting_off(session: Session) -> Iterator[None]:
    """Let `write` wait until the block ends or somebody asks; a block that raises writes nothing."""

    def write_first(_asked: Any) -> None:
        write_waiting(session)

    remembered(session, _PUT_OFF)[None] = True
    event.listen(session, "do_orm_execute", write_first)
    try:
        yield
        write_waiting(session)
    finally:
        event.remove(session, "do_orm_execute", write_first)
        remembered(session, _PUT_OFF).clear()


def write(session: Session, table: Table, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows with the one statement that is used for this table, now or later."""
    waiting = remembered(session, _PUT_OFF)
    if not waiting:
        session.connection().execute(statement, rows)
    else:
        waiting.setdefault(table, (statement, []))[1].extend(rows)


def write_waiting(session: Session, about: Collection[Table] | None = None) -> None:
    """Write what waits, of these tables only when any are given."""
    waiting = remembered(session, _PUT_OFF)
    for table in [one for one in waiting if one is not None and (about is None or one in about)]:
        statement, rows = waiting.pop(table)
        session.connection().execute(statement, rows)
