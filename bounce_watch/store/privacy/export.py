"""Export the rows about one person, by table column, without other people's addresses.

Senders to the person and other people in an incident are left out. Recipients of the person's own messages
are included.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlmodel import Session

from bounce_watch.model import LetterKind
from bounce_watch.store import tables
from bounce_watch.store.privacy.columns import Found, mapped, rows_of
from bounce_watch.store.privacy.identity import OTHERS, PersonIdentity

Row = dict[str, Any]
_AT_ONCE = 100
_OURS = frozenset({"raw", "preview", "lease_owner", "lease_until", "by", "acknowledged_by", "fingerprint"})
"""Columns that are exported in another form, and names of our own staff."""


def export_rows(session: Session, person: PersonIdentity, found: Found) -> Iterator[tuple[str, Row]]:
    """Yield each row that names the person with its section name, section by section."""
    writer = _Writer(person)
    sections: dict[Any, tuple[str, Callable[[Session, Any], Row]]] = {
        tables.Bounce: ("bounces", writer.bounce),
        tables.Report: ("reports", writer.row),
        tables.Outgoing: ("mails", writer.mail),
        tables.Withheld: ("mails_not_written", writer.row),
        tables.Incident: ("incidents", writer.row),
        tables.IncidentChange: ("incident_history", writer.row),
        tables.Quarantined: ("unreadable_mails", writer.row),
        tables.Message: ("remarks", writer.row),
        tables.DnsFinding: ("dns_findings", writer.row),
        tables.Audit: ("audit", writer.row),
    }
    for table, (name, write) in sections.items():
        for row in _paged(session, table, found.rows.get(table, ())):
            yield name, write(session, row)


class _Writer:
    def __init__(self, person: PersonIdentity) -> None:
        self._person = person

    def row(self, _session: Session, row: Any) -> Row:
        """Return a row without other people's addresses."""
        return _mapped(_plain(row), self._person.without_others)

    def bounce(self, session: Session, row: tables.Bounce) -> Row:
        """Return a bounce with its report and the location of its message."""
        is_sender = row.sender is not None and self._person.is_in(row.sender)
        report = session.get_one(tables.Report, row.report_id)
        message = session.get_one(tables.Message, row.message_id)
        own, about = _plain(row), _plain(report) | {"tests": dict(report.tests)}
        if not is_sender:
            own, about = (_mapped(one, self._person.without_others) for one in (own, about))
            about.pop("original_subject", None)  # written by another person
        return {
            "they_are": "sender" if is_sender else "recipient" if self._is_recipient(row) else "named in it",
            **own,
            "report": about,
            "lies_in": {"mailbox": message.mailbox, "received_at": message.received_at},
        }

    def _is_recipient(self, row: tables.Bounce) -> bool:
        known = (row.recipient, row.recipient_decoded, row.original_recipient)
        return any(address is not None and self._person.is_in(address) for address in known)

    def mail(self, session: Session, row: tables.Outgoing) -> Row:
        """Return an outgoing message: whole if it went to the person, else the lines that name them.

        A question to support holds what the person wrote, whom its subject names.
        """
        if self._person.is_in(row.recipient):
            return {**_plain(row), "text": row.preview}
        if row.kind == LetterKind.QUESTION and self._person.is_in(row.subject):
            return self.row(session, row) | {"recipient": OTHERS, "text": row.preview}
        lines = [line for line in row.preview.splitlines() if self._person.is_in(line)]
        mail = self.row(session, row) | {"recipient": OTHERS, "subject": None}
        return mail | {"lines": [self._person.without_others(line) for line in lines]}


def _paged(session: Session, table: Any, numbers: tuple[int, ...]) -> Iterator[Any]:
    for start in range(0, len(numbers), _AT_ONCE):
        yield from rows_of(session, table, numbers[start : start + _AT_ONCE])
        session.expunge_all()


def _plain(row: Any) -> Row:
    """Return the columns of a row that are not empty."""
    names = [column.key for column in row.__table__.columns]
    return {
        name: value
        for name in names
        if name not in _OURS and not name.endswith("_key") and (value := getattr(row, name)) not in (None, [])
    }


def _mapped(row: Row, change: Callable[[str], str]) -> Row:
    changed = {name: mapped(value, change) for name, value in row.items()}
    return {name: _once(value) for name, value in changed.items()}


def _once(value: Any) -> Any:
    """Return a list of texts without duplicates, which the replaced addresses are."""
    is_names = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return list(dict.fromkeys(value)) if is_names else value
