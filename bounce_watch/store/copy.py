"""Copy a whole store between files and servers: every row, and the highest row number each table used.

A row number is never used again, even when the row that had it was deleted.
https://sqlite.org/autoinc.html and https://www.postgresql.org/docs/15/functions-sequence.html, read 2026-11.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, LargeBinary, Table, func, text
from sqlmodel import SQLModel, select

from bounce_watch.store.database.errors import LockHeld, NotThere, StoreDamaged, StoreMissing
from bounce_watch.store.database.location import StoreLocation, require_store, work_with, workers
from bounce_watch.store.store import Store

_SQLITE_GIVEN = text("SELECT name, seq FROM sqlite_sequence")
_SQLITE_SET = text("UPDATE sqlite_sequence SET seq = :number WHERE name = :name")
_SQLITE_ADD = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)")
_SERVER_GIVEN = text(
    "SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence(:name, :column) AS regclass))"
)
_SERVER_SET = text("SELECT setval(CAST(pg_get_serial_sequence(:name, :column) AS regclass), :number)")


def numbers_given(connection: Connection) -> dict[str, int]:
    """Return the highest row number that each table ever used; a table that used none is left out."""
    if connection.dialect.name == "sqlite":
        return {name: number for name, number in connection.execute(_SQLITE_GIVEN) if number}
    asked = {name: {"name": name, "column": column} for name, column in _counting()}
    found = {name: connection.scalar(_SERVER_GIVEN, values) for name, values in asked.items()}
    return {name: number for name, number in found.items() if number}


def set_numbers(connection: Connection, numbers: Mapping[str, int]) -> None:
    """Set each table to continue after its number."""
    for name, column in _counting():
        if number := numbers.get(name):
            _set(connection, name, column, number)


def _set(connection: Connection, name: str, column: str, number: int) -> None:
    values = {"name": name, "number": number}
    if connection.dialect.name != "sqlite":
        connection.execute(_SERVER_SET, values | {"column": column})
    elif not connection.execute(_SQLITE_SET, values).rowcount:
        connection.execute(_SQLITE_ADD, values)


def _counting() -> Iterator[tuple[str, str]]:
    """Yield each table with automatic row numbers, and the column that holds them."""
    for table in SQLModel.metadata.sorted_tables:
        if table.dialect_options["sqlite"]["autoincrement"]:
            (column,) = table.primary_key.columns
            yield table.name, column.name


ROWS_AT_ONCE = 500
MAILS_AT_ONCE = 8
"""How many rows are in memory at once; the second number is for rows that hold a whole message."""

Progress = Callable[[int, int], None]
"""Called with the steps done and all steps. Each row has two: it is written, then read back."""

Step = Callable[[int], None]


@contextmanager
def nobody_else(*locations: StoreLocation) -> Iterator[Callable[[], None]]:
    """Work with stores exclusively; yield a function that checks that this is still so.

    Both raise LockHeld while another process works there, because what it stores would be left out.
    """
    with ExitStack() as stack:
        _require_at_most(0, *locations)
        for location in locations:
            stack.enter_context(work_with(location))
        yield partial(_require_at_most, 1, *locations)


def _require_at_most(most: int, *locations: StoreLocation) -> None:
    for location in locations:
        if len(found := workers(location)) > most:
            raise LockHeld(
                f"{location} is being worked with ({', '.join(found)}).",
                "Stop every watcher of both stores, then copy again; nothing was copied.",
            )


def copy_store(
    source: StoreLocation,
    target: StoreLocation,
    *,
    progress: Progress = lambda _done, _all: None,
    before_commit: Callable[[], None] = lambda: None,
) -> Counter[str]:
    """Copy every row into an empty store, created if necessary; return the number of rows by table.

    The rows are committed together, after each was read back and compared. Raises NotThere for a target that
    is not empty, StoreDamaged for a row that reads back differently, and the errors of `Store.open`.
    """
    with (
        Store.open(source, read_only=True) as old,
        _made(target) as new,
        old.open_session() as reading,
        new.transaction() as tx,
    ):
        before, after = reading.connection(), tx.session.connection()
        _require_empty(after, target)
        rows = _copy(before, after, progress)
        before_commit()
    return rows


def _copy(before: Connection, after: Connection, progress: Progress) -> Counter[str]:
    rows = _count(before)
    step = _steps(progress, 2 * rows.total())
    for table in SQLModel.metadata.sorted_tables:
        _write(before, after, table, step)
    if _count(after) != rows:
        raise _differs("the new place")
    for table in SQLModel.metadata.sorted_tables:
        _compare(before, after, table, step)
    set_numbers(after, numbers_given(before))
    return rows


def _made(target: StoreLocation) -> Store:
    """Open the target; create the tables only when it does not exist yet."""
    try:
        require_store(target)
        return Store.open(target, migrate=False)
    except StoreMissing:
        return Store.open(target)


def _require_empty(connection: Connection, location: StoreLocation) -> None:
    filled = sorted(name for name, count in _count(connection).items() if count)
    if filled:
        raise NotThere(
            f"{location} holds something already (in {', '.join(filled)}).",
            "Two histories cannot be joined: name a database that is empty, or a file that is not there yet.",
        )


def _count(connection: Connection) -> Counter[str]:
    count: Any = select(func.count())
    tables = SQLModel.metadata.sorted_tables
    return Counter({table.name: connection.scalar(count.select_from(table)) for table in tables})


def _steps(progress: Progress, total: int) -> Step:
    done = 0

    def step(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, total)

    return step


def _write(before: Connection, after: Connection, table: Table, step: Step) -> None:
    with _rows_of(before, table) as found:
        for rows in found:
            after.execute(table.insert(), [dict(row) for row in rows])
            step(len(rows))


def _compare(before: Connection, after: Connection, table: Table, step: Step) -> None:
    with _rows_of(before, table) as found, _rows_of(after, table) as copied:
        for rows, copies in zip(found, copied, strict=True):
            if rows != copies:
                raise _differs(table.name)
            step(len(rows))


def _differs(where: object) -> StoreDamaged:
    return StoreDamaged(
        f"What was written to {where} came back as something else; nothing was copied.",
        "Look at both with `bounce-watch db check`.",
    )


@contextmanager
def _rows_of(connection: Connection, table: Table) -> Iterator[Iterator[Sequence[Mapping[Any, Any]]]]:
    """Yield a table's rows in batches, ordered so that a row follows the rows that it refers to."""
    inward = [key.parent.is_not(None) for key in table.foreign_keys if key.column.table is table]
    holds_mails = any(isinstance(column.type, LargeBinary) for column in table.columns)
    at_once = {"yield_per": MAILS_AT_ONCE if holds_mails else ROWS_AT_ONCE}
    query = table.select().order_by(*inward, *table.primary_key.columns)
    with connection.execute(query, execution_options=at_once) as found:
        yield iter(found.mappings().partitions())
