"""State of each watched mailbox: when it was polled, up to which message, and what does not work in it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import col, select

from bounce_watch.store import tables
from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.meta import delete_values, read_time, read_value, read_values, write_value

_CURSOR, _UNFETCHED = "cursor:", "unfetched:"
_MAX_UNFETCHED = 500
_POLLED, _FIRST_POLLED, _COMPLETE = "last_look:", "first_look:", "complete_look:"
_FIRST_RUN, _LAST_FETCH = "first_run_at", "last_success_fetch_at"


class MailboxPart(StrEnum):
    """What is done with a mailbox; the values begin names in the store."""

    READING = "trouble:"
    FILING = "filing:"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxTrouble:
    """A mailbox that cannot be read, or not filed.

    `why` is the newest reason; `is_notified`: the admins were notified.
    """

    since: datetime
    why: str
    is_notified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a mailbox was read: every message of this UIDVALIDITY up to `uid`.

    `whole_at` is when the whole folder was last read.
    """

    validity: int
    uid: str
    whole_at: datetime


class MailboxQueries(Queries):
    """Queries about mailboxes, which are named after their sources."""

    def last_success_fetch_at(self) -> datetime | None:
        """Return when any mailbox was last read without an error."""
        with self._reading() as session:
            return read_time(session, _LAST_FETCH)

    def last_look_at(self, mailbox: str) -> datetime | None:
        """Return when a mailbox was last read without an error, None for never."""
        return self._time(f"{_POLLED}{mailbox}", mailbox, _LAST_FETCH)

    def first_look_at(self, mailbox: str) -> datetime | None:
        """Return when a mailbox was first read, None before that."""
        return self._time(f"{_FIRST_POLLED}{mailbox}", mailbox, _FIRST_RUN)

    def complete_look_at(self, mailbox: str) -> datetime | None:
        """Return when all that waited in a mailbox was last read, None for never."""
        with self._reading() as session:
            return read_time(session, f"{_COMPLETE}{mailbox}")

    def _time(self, name: str, mailbox: str, of_all: str) -> datetime | None:
        """Read a time of one mailbox. Older versions wrote one time for all mailboxes together."""
        message = tables.Message
        with self._reading() as session:
            if (noted := read_time(session, name)) is not None:
                return noted
            known = session.exec(select(message.id).where(col(message.mailbox) == mailbox).limit(1)).first()
            return None if known is None else read_time(session, of_all)

    def polled_since(self, moment: datetime) -> tuple[str, ...]:
        """Return the mailboxes that were read without an error at or after a moment."""
        with self._reading() as session:
            polled = read_values(session, _POLLED)
        return tuple(sorted(name for name, at in polled.items() if datetime.fromisoformat(at) >= moment))

    def trouble_with(self, mailbox: str, part: MailboxPart = MailboxPart.READING) -> MailboxTrouble | None:
        """Return since when and why this part does not work, None when it does."""
        with self._reading() as session:
            noted = read_value(session, f"{part}{mailbox}")
        return None if noted is None else _trouble_of(noted)

    def troubles(self, part: MailboxPart = MailboxPart.READING) -> dict[str, MailboxTrouble]:
        with self._reading() as session:
            return {name: _trouble_of(value) for name, value in read_values(session, part).items()}

    def unfetched(self, mailbox: str) -> dict[str, str]:
        """Return the messages of a mailbox that cannot be fetched: place and reason."""
        with self._reading() as session:
            noted = read_value(session, f"{_UNFETCHED}{mailbox}")
        return {} if noted is None else dict(json.loads(noted))

    def cursor(self, mailbox: str) -> Cursor | None:
        """Return how far a mailbox was read, None before the first poll or when it has no order."""
        with self._reading() as session:
            value = read_value(session, f"{_CURSOR}{mailbox}")
        if value is None:
            return None
        validity, uid, whole_at = json.loads(value)
        return Cursor(validity=validity, uid=uid, whole_at=datetime.fromisoformat(whole_at))


class Mailboxes(MailboxQueries, Repository):
    def note_fetch(self, now: datetime, mailbox: str | None = None, *, is_complete: bool = True) -> None:
        """Record that a mailbox was read without an error; `is_complete`: all that waited there."""
        if mailbox is not None:
            if self.first_look_at(mailbox) is None:
                self.note_first_look(mailbox, now)
            write_value(self._rows, f"{_POLLED}{mailbox}", now)
            if is_complete:
                write_value(self._rows, f"{_COMPLETE}{mailbox}", now)
        write_value(self._rows, _LAST_FETCH, now)

    def note_first_look(self, mailbox: str, now: datetime) -> None:
        write_value(self._rows, f"{_FIRST_POLLED}{mailbox}", now)

    def note_cursor(self, mailbox: str, cursor: Cursor) -> None:
        """Record how far a mailbox was read, in the same transaction as the poll."""
        value = json.dumps([cursor.validity, cursor.uid, cursor.whole_at.isoformat()])
        write_value(self._rows, f"{_CURSOR}{mailbox}", value)

    def note_unfetched(self, mailbox: str, messages: Mapping[str, str]) -> None:
        name = f"{_UNFETCHED}{mailbox}"
        if not messages:
            delete_values(self._rows, [name])
            return
        write_value(self._rows, name, json.dumps(dict(list(messages.items())[:_MAX_UNFETCHED])))

    def note_trouble(
        self,
        mailbox: str,
        why: str,
        now: datetime,
        *,
        notified: bool = False,
        part: MailboxPart = MailboxPart.READING,
    ) -> None:
        """Record that a part does not work. Keep the first start time, and `notified` once it is True.

        A start in the future was noted by a wrong clock.
        """
        known = self.trouble_with(mailbox, part)
        since, notified = (min(known.since, now), notified or known.is_notified) if known else (now, notified)
        value = f"{since.isoformat()} {'told' if notified else 'untold'} {why}"
        write_value(self._rows, f"{part}{mailbox}", value)

    def clear_trouble(self, mailbox: str, part: MailboxPart = MailboxPart.READING) -> bool:
        """Record that a part works again; return whether it had trouble."""
        return delete_values(self._rows, [f"{part}{mailbox}"])

    def keep_troubles(self, mailboxes: Collection[str]) -> None:
        """Delete the troubles of mailboxes that are not in `mailboxes`."""
        for part in MailboxPart:
            gone = self.troubles(part).keys() - set(mailboxes)
            delete_values(self._rows, [f"{part}{mailbox}" for mailbox in gone])


def _trouble_of(noted: str) -> MailboxTrouble:
    since, notified, why = noted.split(" ", 2)
    return MailboxTrouble(since=datetime.fromisoformat(since), why=why, is_notified=notified == "told")
