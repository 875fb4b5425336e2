"""Which row numbers were given out: none comes back, though the row with the highest one was deleted.

https://sqlite.org/autoinc.html and https://www.postgresql.org/docs/15/functions-sequence.html, read 2026-11.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, Table, text
from sqlmodel import SQLModel

_SQLITE_GIVEN = text("SELECT name, seq FROM sqlite_sequence")
_SQLITE_SET = text("UPDATE sqlite_sequence SET seq = :number WHERE name = :name")
_SQLITE_ADD = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)")
_SERVER_GIVEN = text(
    "SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence(:name, :column) AS regclass))"
)
_SERVER_SET = text("SELECT setval(CAST(pg_get_serial_sequence(:name, :column) AS regclass), :number)")


def numbers_given(connection: Connection) -> dict[str, int]:
    """Return the highest number that each table ever gave out; one that never did is left out."""
    if connection.dialect.name == "sqlite":
        return {name: number for name, number in connection.execute(_SQLITE_GIVEN) if number}
    asked = {name: {"name": name, "column": column} for name, column in _counting()}
    found = {name: connection.scalar(_SERVER_GIVEN, values) for name, values in asked.items()}
    return {name: number for name, number in found.items() if number}


def set_numbers(connection: Connection, numbers: Mapping[str, int]) -> None:
    """Let the next row of each table have the number after this one."""
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
    """Yield each table that counts its rows up, with the column that has the number."""
    for table in SQLModel.metadata.sorted_tables:
        if _counts_up(table):
            (column,) = table.primary_key.columns
            yield table.name, column.name


def _counts_up(table: Table) -> bool:
    return bool(table.dialect_options["sqlite"]["autoincrement"])
