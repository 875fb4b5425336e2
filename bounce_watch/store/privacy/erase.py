"""Erase a person in batches: replace the address by a pseudonym, and delete what only they wrote.

Counts and incidents are kept. Hashes are kept too, so that a copy of a known report is not taken for a new
one. Outgoing messages are rewritten without the address.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from sqlmodel import Session, col, or_, select

from bounce_watch.model import IncidentState, LetterKind, OutboxState
from bounce_watch.store import tables
from bounce_watch.store.privacy.columns import SMALL, change_texts, rows_of
from bounce_watch.store.privacy.identity import PersonIdentity

_POLICY = SMTP.clone(cte_type="7bit")


def letter_without(raw: bytes, person: PersonIdentity, pseudonym: str) -> bytes:
    """Return the message with the pseudonym instead of the person; empty when the address remains in it."""
    mail = message_from_bytes(raw, policy=_POLICY)
    for part in mail.walk():
        _change_fields(part, person, pseudonym)
        if part.get_content_maintype() == "text":
            _change_text(part, person, pseudonym)
    changed = mail.as_bytes(policy=_POLICY)
    return b"" if person.is_in_letter(changed) else changed


def _change_fields(part: EmailMessage, person: PersonIdentity, pseudonym: str) -> None:
    for name, value in part.items():
        if person.is_in(str(value)):
            part.replace_header(name, person.replaced(str(value), pseudonym))


def _change_text(part: EmailMessage, person: PersonIdentity, pseudonym: str) -> None:
    text = part.get_content()
    if person.is_in(text):
        part.set_content(
            person.replaced_near(text, pseudonym), subtype=part.get_content_subtype(), cte="quoted-printable"
        )


DELETED = "(deleted on request)"
"""Replaces the text of a message to the person."""

WAITING = (OutboxState.PENDING, OutboxState.HELD, OutboxState.FAILED, OutboxState.UNKNOWN)
"""States in which a message can still be sent."""

_ORIGINAL_COLUMNS = ("original_subject", "original_message_id", "original_envelope_id")
_SERVER_TEXT = ("diagnostic_code", "details", "first_verdict")
"""Server responses, which often name a person by the local part only."""


class Forgetter:
    """Erases one person from rows. `by` is the account that requests it."""

    def __init__(
        self, session: Session, person: PersonIdentity, pseudonym: str, *, by: str, now: datetime
    ) -> None:
        self._rows = session
        self._person = person
        self._pseudonym = pseudonym
        self._by, self._now = by, now
        self._steps: dict[Any, Callable[[Sequence[Any]], int]] = {
            tables.Outgoing: self._mails,
            tables.Withheld: self._withheld,
            tables.Bounce: self._bounces,
            tables.Report: self._reports,
            tables.Incident: self._incidents,
            tables.Quarantined: self._quarantined,
        }

    def forget(self, table: Any, numbers: Sequence[int]) -> Counter[str]:
        """Change or delete these rows; count them by table. A message that is being sent is not changed."""
        rows = rows_of(self._rows, table, numbers)
        done = self._steps.get(table, self._replace_all)(rows)
        self._rows.flush()
        return Counter({table.__tablename__: done})

    def forget_rest(self) -> Counter[str]:
        """Change the rows of the small tables."""
        rows = [row for table in SMALL for row in self._rows.exec(select(table))]
        return Counter(rest=sum(change_texts(row, self._replaced) for row in rows))

    def _replaced(self, text: str) -> str:
        return self._person.replaced(text, self._pseudonym)

    def _replaced_near(self, text: str) -> str:
        return self._person.replaced_near(text, self._pseudonym)

    def _is_theirs(self, *values: str | None) -> bool:
        return any(value is not None and self._person.is_in(value) for value in values)

    def _replace_all(self, rows: Sequence[Any]) -> int:
        return sum(change_texts(row, self._replaced) for row in rows)

    def _mails(self, rows: Sequence[tables.Outgoing]) -> int:
        erasable = [row for row in rows if row.state != OutboxState.SENDING]
        for row in erasable:
            waits, is_theirs = row.state in WAITING, self._is_theirs(row.recipient)
            if is_theirs:
                row.recipient = row.recipient_key = self._pseudonym
            if is_theirs or row.kind == LetterKind.QUESTION:
                # A question holds a colleague's own words.
                row.subject, row.preview, row.raw = DELETED, DELETED, b""
            else:
                row.raw = letter_without(row.raw, self._person, self._pseudonym)
            # A reply that names the person would mislead without the name; a digest is still useful.
            if waits and (not row.raw or row.kind == LetterKind.REPLY):
                row.state, row.next_at = OutboxState.ABANDONED, None
            change_texts(row, self._replaced_near)
        return len(erasable)

    def _withheld(self, rows: Sequence[tables.Withheld]) -> int:
        for row in rows:
            if self._is_theirs(row.recipient):
                row.recipient = row.recipient_key = self._pseudonym
        return max(self._replace_all(rows), len(rows))

    def _bounces(self, rows: Sequence[tables.Bounce]) -> int:
        own = [row.report_id for row in rows if self._is_theirs(row.sender)]
        for row in rows:
            self._bounce(row)
        self._rows.flush()
        table = tables.Report
        with_copies = or_(col(table.id).in_(own), col(table.duplicate_of).in_(own))
        for report in self._rows.exec(select(table).where(with_copies)):
            self._empty(report)
        return len(rows)

    def _bounce(self, row: tables.Bounce) -> None:
        sent, got = self._is_theirs(row.sender), self._is_theirs(row.recipient, row.recipient_decoded)
        if sent:
            row.sender = row.sender_key = self._pseudonym
        if got:
            row.recipient = row.recipient_key = self._pseudonym
            row.recipient_decoded = row.recipient_decoded and self._pseudonym
            row.original_recipient = row.original_recipient and self._pseudonym
        if sent or got:
            change_texts(
                row, lambda text: self._person.replaced_near(text, self._pseudonym), only=_SERVER_TEXT
            )
        change_texts(row, self._replaced)

    def _reports(self, rows: Sequence[tables.Report]) -> int:
        for row in rows:
            if self._is_theirs(row.original_sender):
                self._empty(row)
        self._replace_all(rows)
        return len(rows)

    def _empty(self, report: tables.Report) -> None:
        """Delete what a report says about a message that the person wrote."""
        for name in _ORIGINAL_COLUMNS:
            setattr(report, name, None)

    def _incidents(self, rows: Sequence[tables.Incident]) -> int:
        for row in rows:
            if self._is_theirs(row.key) and not IncidentState(row.state).is_closed:
                row.state, row.resolved_at, row.updated_at = IncidentState.RESOLVED, self._now, self._now
                line = tables.IncidentChange(
                    incident=row.number,
                    at=self._now,
                    change=IncidentState.RESOLVED,
                    by=self._by,
                    note="the person it was about was forgotten on request",
                    messages=row.messages,
                )
                self._rows.add(line)
        return max(self._replace_all(rows), len(rows))

    def _quarantined(self, rows: Sequence[tables.Quarantined]) -> int:
        for row in rows:
            self._rows.delete(row)
        return len(rows)
