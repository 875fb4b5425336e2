"""Search, export and erase one person's data, and check that the file keeps no trace of the address."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from bounce_watch.model import CLOSED
from bounce_watch.store import tables
from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.database.sqlite_file import companions
from bounce_watch.store.meta import read_value, write_value
from bounce_watch.store.privacy.columns import NUMBERED, Found, numbers_of
from bounce_watch.store.privacy.erase import WAITING, Forgetter
from bounce_watch.store.privacy.export import Row, export_rows
from bounce_watch.store.privacy.identity import PersonIdentity
from bounce_watch.store.vocabulary import PSEUDONYM

NAMES = {
    "outgoing": "mails",
    "bounce": "bounces",
    "report": "reports",
    "message": "remarks",
    "incident": "incidents",
    "incident_change": "history",
}
"""Names of tables in the audit log; other tables have their own name there."""

_FORGOTTEN = "people_forgotten"
_AT_ONCE = 500


class PrivacyQueries(Queries):
    def search(self, person: PersonIdentity) -> Found:
        """Return all rows that name a person. This reads every text in the store."""
        with self._reading() as session:
            rows = {table: numbers_of(session, table, person) for table in NUMBERED}
            mail, incident = tables.Outgoing, tables.Incident
            theirs, about = _like(mail.recipient, person), _like(incident.key, person)
            is_open = col(incident.state).not_in(CLOSED)
            waits = col(mail.state).in_(WAITING)
            return Found(
                rows=rows,
                to_them=_count(session, mail.id, rows[mail], theirs),
                waiting=_count(session, mail.id, rows[mail], waits),
                about_them=_count(session, incident.number, rows[incident], about),
                open_about_them=_count(session, incident.number, rows[incident], about, is_open),
                locations=_locations(session, person),
            )

    def export(self, person: PersonIdentity, found: Found) -> Iterator[tuple[str, Row]]:
        with self._reading() as session:
            yield from export_rows(session, person, found)


class Privacy(PrivacyQueries, Repository):
    """Erasing one person from the store."""

    def next_pseudonym(self) -> str:
        number = int(read_value(self._rows, _FORGOTTEN) or 0) + 1
        write_value(self._rows, _FORGOTTEN, number)
        return PSEUDONYM.format(number)

    def forget(
        self,
        table: Any,
        numbers: Sequence[int],
        person: PersonIdentity,
        pseudonym: str,
        *,
        by: str,
        now: datetime,
    ) -> Counter[str]:
        """Change or delete rows that name the person (see `search`); count them by table."""
        return Forgetter(self._rows, person, pseudonym, by=by, now=now).forget(table, numbers)

    def forget_rest(self, person: PersonIdentity, pseudonym: str, *, by: str, now: datetime) -> Counter[str]:
        return Forgetter(self._rows, person, pseudonym, by=by, now=now).forget_rest()


def _like(column: Any, person: PersonIdentity) -> Any:
    return col(column).ilike(person.like, escape="\\")


def _count(session: Session, number: Any, numbers: Sequence[int], *conditions: Any) -> int:
    parts = [numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE)]
    query = select(func.count(number)).where(*conditions)
    return sum(session.exec(query.where(col(number).in_(part))).one() for part in parts)


def _locations(session: Session, person: PersonIdentity) -> int:
    message = tables.Message
    query = select(message.mailbox, message.uid).where(
        or_(_like(message.mailbox, person), _like(message.uid, person))
    )
    return sum(person.is_in(mailbox) or person.is_in(uid) for mailbox, uid in session.exec(query))


_STEP = 4 * 1024 * 1024
_OVERLAP = 4096
"""In bytes, longer than an address in any form."""


def is_in_files(path: Path, person: PersonIdentity) -> bool:
    """Return whether the bytes of the store or its log contain the address, even inside a longer one.

    SQLite stores the fields of a row without separators, so the end of an address cannot be detected.
    """
    files = [file for file in (path, *companions(path)) if file.name.endswith(("-shm",)) is False]
    return any(_is_in(file, _bytes_of(person)) for file in files if file.exists())


def _bytes_of(person: PersonIdentity) -> re.Pattern[bytes]:
    dot = rb"(?:\.|\[\.\])"
    local, domain = (
        dot.join(re.escape(piece.encode()) for piece in part.split("."))
        for part in (person.local, person.domain)
    )
    return re.compile(local + rb"(?:@|\[@\]|%40|\+40|=40|=|_)" + domain, re.IGNORECASE)


def _is_in(file: Path, pattern: re.Pattern[bytes]) -> bool:
    before = b""
    with file.open("rb") as content:
        while block := content.read(_STEP):
            if pattern.search(before + block):
                return True
            before = block[-_OVERLAP:]
    return False
