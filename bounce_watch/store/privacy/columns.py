"""Find the rows that name one person, in every text column that the tables define."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Text, or_, type_coerce
from sqlmodel import Session, select

from bounce_watch.store import tables
from bounce_watch.store.database.columns import LongText, SafeJson, SafeText
from bounce_watch.store.privacy.identity import PersonIdentity

NUMBERED: tuple[Any, ...] = (
    # Waiting messages come first, so that they are not sent during the erasure.
    tables.Outgoing,
    tables.Withheld,
    tables.Bounce,
    tables.Report,
    tables.Message,
    tables.Incident,
    tables.IncidentChange,
    tables.Quarantined,
    tables.DnsFinding,
    tables.Audit,
)
"""Tables with numbered rows, in the order of the erasure."""

SMALL: tuple[Any, ...] = (tables.Meta, tables.Digest)
"""Tables with a few hundred rows at most."""

_KEPT_COLUMNS = {("message", "mailbox"), ("message", "uid"), ("message", "sha256"), ("meta", "name")}
"""Columns that are never changed. Without its location, a message would be read as a new one."""

_PIECE = re.compile(r"[a-z0-9]+")


def texts_of(table: Any) -> tuple[Column[Any], ...]:
    return tuple(
        column
        for column in table.__table__.columns
        if isinstance(column.type, SafeText | LongText | SafeJson)
        and (table.__tablename__, column.key) not in _KEPT_COLUMNS
    )


def number_of(table: Any) -> Column[Any]:
    (column,) = table.__table__.primary_key.columns
    return column  # type: ignore[no-any-return]


def numbers_of(session: Session, table: Any, person: PersonIdentity) -> tuple[int, ...]:
    found = set(_by_text(session, table, person))
    if table is tables.Outgoing:
        found |= set(_by_content(session, person, found))
    if table is tables.Quarantined:
        found |= set(_by_bytes(session, person))
    return tuple(sorted(found))


def _by_text(session: Session, table: Any, person: PersonIdentity) -> Iterator[int]:
    number = number_of(table)
    texts = [type_coerce(column, Text()) for column in texts_of(table)]
    query: Any = select(number, *texts).where(or_(*(text.ilike(person.like, escape="\\") for text in texts)))
    for found, *values in session.execute(query.execution_options(yield_per=500)):
        if any(value is not None and person.is_in(value) for value in values):
            yield found


def _by_content(session: Session, person: PersonIdentity, known: set[int]) -> Iterator[int]:
    """Yield outgoing messages whose bytes name the person although their text columns do not."""
    pieces = [piece.encode() for piece in _PIECE.findall(person.key)]
    query: Any = select(tables.Outgoing.id, tables.Outgoing.raw).execution_options(yield_per=50)
    for number, raw in session.execute(query):
        unfolded = raw.replace(b"=\r\n", b"").lower()
        if number not in known and all(p in unfolded for p in pieces) and person.is_in_letter(raw):
            yield number


def _by_bytes(session: Session, person: PersonIdentity) -> Iterator[int]:
    query: Any = select(tables.Quarantined.id, tables.Quarantined.raw).execution_options(yield_per=5)
    return (number for number, raw in session.execute(query) if person.is_in_bytes(raw))


def rows_of(session: Session, table: Any, numbers: Sequence[int]) -> Sequence[Any]:
    number = number_of(table)
    return session.exec(select(table).where(number.in_(numbers)).order_by(number)).all()


def change_texts(row: Any, change: Callable[[str], str], *, only: Iterable[str] | None = None) -> bool:
    """Change all text columns of a row, or those in `only`; return whether any value changed."""
    names = [column.key for column in texts_of(type(row))] if only is None else list(only)
    changed = {name: mapped(getattr(row, name), change) for name in names}
    differs = {name: value for name, value in changed.items() if value != getattr(row, name)}
    for name, value in differs.items():
        setattr(row, name, value)
    return bool(differs)


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Return a column value with every text in it changed; keys of mappings stay."""
    match value:
        case str():
            return change(value)
        case list() | tuple():
            return [mapped(item, change) for item in value]
        case dict():
            return {name: mapped(item, change) for name, item in value.items()}
        case _:
            return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The numbers of the rows that name a person, by table.

    `to_them` counts outgoing messages to the person, `waiting` those that name the person and are not sent.
    `about_them` and `open_about_them` count incidents, `locations` messages whose file name names the person.
    """

    rows: dict[Any, tuple[int, ...]]
    to_them: int
    waiting: int
    about_them: int
    open_about_them: int
    locations: int

    @property
    def is_nothing(self) -> bool:
        return not any(self.rows.values())

    def count(self, name: str) -> int:
        return next((len(numbers) for table, numbers in self.rows.items() if table.__tablename__ == name), 0)
