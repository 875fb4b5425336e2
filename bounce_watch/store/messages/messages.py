"""What one message brings in: its row, the reports in it, their bounces."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, update
from sqlmodel import Session, col, select

from bounce_watch.model import Bounce, Event, Evidence, Kind, Report
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.store import tables
from bounce_watch.store.asking import ask
from bounce_watch.store.database.columns import MAX_TEXT, scrub
from bounce_watch.store.database.errors import AlreadyStored, NotThere
from bounce_watch.store.database.session import Reads
from bounce_watch.store.database.upsert import insert_new, stored
from bounce_watch.store.messages.batch import NewMessage, NewReport, Together, note_new
from bounce_watch.store.records import StoredReport
from bounce_watch.store.vocabulary import MessageState

_MESSAGE = tables.Message
# Made once: to build a statement costs more than to ask it, and these are asked for every message.
_PLACE = (
    col(_MESSAGE.mailbox) == bindparam("at_mailbox"),
    col(_MESSAGE.validity) == bindparam("at_validity"),
    col(_MESSAGE.uid) == bindparam("at_uid"),
)
_AT_PLACE = select(_MESSAGE).where(*_PLACE)
_STATE_AT_PLACE = select(_MESSAGE.state).where(*_PLACE)
_FILED = update(_MESSAGE).where(*_PLACE).values(state=MessageState.FILED)
_UIDS = select(_MESSAGE.uid).where(*_PLACE[:2], col(_MESSAGE.uid).in_(bindparam("at_uids", expanding=True)))
_NEW_MESSAGE = insert_new(_MESSAGE, ("mailbox", "validity", "uid"), _MESSAGE.id)


def find_message(session: Session, mailbox: str, validity: int, uid: str) -> tables.Message | None:
    """Return the row of the message at this place."""
    return session.exec(_AT_PLACE, params=_at(mailbox, validity, uid)).one_or_none()


def _at(mailbox: str, validity: int, uid: str) -> dict[str, Any]:
    return {"at_mailbox": mailbox, "at_validity": validity, "at_uid": uid}


def _spot(new: NewMessage) -> tuple[str, int, str]:
    return new.mailbox, new.validity, scrub(new.uid[:MAX_TEXT])


class KnownMessages(Reads):
    """Questions about messages."""

    def is_known(self, mailbox: str, validity: int, uid: str) -> MessageState | None:
        """Return how far the message at this place came, None when we never met it.

        `seen` means that reading it failed before: it is to be read again.
        """
        with self._reading() as session:
            state = session.exec(_STATE_AT_PLACE, params=_at(mailbox, validity, uid)).one_or_none()
            return None if state is None else MessageState(state)

    def newest_message(self) -> int:
        """Return the number of the newest message, 0 for none."""
        with self._reading() as session:
            return session.exec(select(func.max(_MESSAGE.id))).one() or 0


class Intake(Together):
    """Writing what a message says."""

    def add_message(
        self,
        *,
        mailbox: str,
        validity: int,
        uid: str,
        sha256: str,
        size: int,
        received_at: datetime | None,
        now: datetime,
        kind: Kind,
        reason: str | None = None,
        state: MessageState = MessageState.STORED,
    ) -> int:
        """Store a message and return its number; one that failed before (`seen`) is completed.

        `sha256` is that of the bytes that were read in hexadecimal, `size` in bytes. Raises AlreadyStored
        when the place is taken by a message that was stored already: ask `is_known` first.
        """
        told = {"sha256": sha256, "size": size, "received_at": received_at}
        told |= {"kind": kind, "reason": reason, "state": state}
        place = {"mailbox": mailbox, "validity": validity, "uid": uid}
        new = stored(self._rows, _NEW_MESSAGE, {**place, "seen_at": now, "attempts": 0, **told})
        if new is not None:
            note_new(self._rows, new, received_at)
            return new
        row = find_message(self._rows, mailbox, validity, uid)
        if row is None or row.state != MessageState.SEEN:
            raise AlreadyStored(f"message {row and row.id} at this place is {row and row.state} already")
        for name, value in told.items():
            setattr(row, name, value)
        return self._keep(row).id

    def add_messages(self, messages: Sequence[NewMessage], now: datetime) -> list[int]:
        """Store messages at different places and return their numbers, in order; see `add_message`."""
        taken = self._taken(messages)
        free = [new for new in messages if _spot(new) not in taken]
        numbers = dict(zip(map(_spot, free), self.add_new_messages(free, now), strict=True))
        return [numbers.get(_spot(new)) or self._complete(new, now) for new in messages]

    def _taken(self, messages: Sequence[NewMessage]) -> set[tuple[str, int, str]]:
        """Return the places at which a message is known."""
        asked: dict[tuple[str, int], list[str]] = {}
        for new in messages:
            asked.setdefault((new.mailbox, new.validity), []).append(new.uid)
        taken = set[tuple[str, int, str]]()
        for (mailbox, validity), uids in asked.items():
            question = {"at_mailbox": mailbox, "at_validity": validity, "at_uids": uids}
            found = ask(self._rows, _UIDS, question, _MESSAGE).scalars()
            taken.update((mailbox, validity, uid) for uid in found)
        return taken

    def _complete(self, new: NewMessage, now: datetime) -> int:
        known = {field.name: getattr(new, field.name) for field in fields(new)}
        return self.add_message(**known, now=now)

    def add_report(
        self,
        message_id: int,
        report: Report,
        *,
        evidence: Evidence | None,
        tests: Iterable[tuple[str, str]],
        now: datetime,
    ) -> StoredReport:
        """Store a report. The same fingerprint again makes a duplicate, whose bounces are not stored."""
        new = NewReport(message_id=message_id, report=report, evidence=evidence, tests=tests)
        (stored,) = self.add_reports([new], now)
        return stored

    def add_bounces(self, report_id: int, bounces: Sequence[Bounce], now: datetime) -> tuple[Event, ...]:
        """Store the bounces of one report; see `add_all_bounces`."""
        (stored,) = self.add_all_bounces([(report_id, bounces)], now)
        return stored.events

    def set_state(self, message_id: int, state: MessageState, reason: str | None = None) -> None:
        """Note that a message was filed, left alone or quarantined. Repeating it changes nothing."""
        row = self._rows.get(tables.Message, message_id)
        if row is None:
            raise NotThere(f"there is no message {message_id}")
        row.state = state
        row.reason = reason or row.reason

    def note_filed(self, places: Sequence[MessageLocation]) -> None:
        """Note as filed the messages at these places, as after their move."""
        self._rows.connection().execute(
            _FILED, [_at(place.mailbox, place.validity, place.uid) for place in places]
        )

    def note_moved(self, mailbox: str, up_to: int | None = None) -> None:
        """Note as filed what is `stored` and lies no longer in the folder: its move was done, then we died.

        Only after a walk through the whole folder, in which every such message that is still there is moved.
        `up_to` is the newest row number before the walk: what another watcher stored since is not meant.
        """
        at = tables.Message
        stored = [col(at.state) == MessageState.STORED, col(at.mailbox) == mailbox]
        if up_to is not None:
            stored.append(col(at.id) <= up_to)
        for row in self._rows.exec(select(at).where(*stored)):
            row.state = MessageState.FILED

    def note_failure(self, *, mailbox: str, validity: int, uid: str, reason: str, now: datetime) -> int:
        """Count a failure that will happen again with the same bytes; return how many there were.

        Faults of network, disk or memory are not to be noted: they never lead to quarantine.
        """
        row = find_message(self._rows, mailbox, validity, uid)
        if row is None:
            row = tables.Message(
                mailbox=mailbox, validity=validity, uid=uid, seen_at=now, state=MessageState.SEEN
            )
        row.attempts += 1
        row.reason = reason
        return self._keep(row).attempts

    def _keep(self, row: tables.Message) -> tables.Message:
        self._rows.add(row)
        self._rows.flush()
        return row
