"""What one message brings in: its row, the reports in it, their bounces."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, update
from sqlmodel import Session, col, select

from bounce_watch.model import Bounce, Event, Evidence, Kind, Report
from bounce_watch.store import fresh, tables, tally
from bounce_watch.store.asking import ask, remembered
from bounce_watch.store.dialect import insert_new, stored
from bounce_watch.store.errors import AlreadyStored, NotThere
from bounce_watch.store.events import EVENT_COLUMNS, failed_events
from bounce_watch.store.intake_rows import bounce_row, report_row
from bounce_watch.store.records import StoredReport
from bounce_watch.store.rooms import Reads, Writes
from bounce_watch.store.words import MessageState

_MESSAGE, _REPORT = tables.Message, tables.Report
# Made once: to build a statement costs more than to ask it, and these are asked for every message.
_PLACE = (
    col(_MESSAGE.mailbox) == bindparam("at_mailbox"),
    col(_MESSAGE.validity) == bindparam("at_validity"),
    col(_MESSAGE.uid) == bindparam("at_uid"),
)
_AT_PLACE = select(_MESSAGE).where(*_PLACE)
_STATE_AT_PLACE = select(_MESSAGE.state).where(*_PLACE)
_FILED = update(_MESSAGE).where(*_PLACE).values(state=MessageState.FILED)
_FIRST_WITH = select(_REPORT.id).where(
    col(_REPORT.fingerprint) == bindparam("fingerprint"), col(_REPORT.duplicate_of).is_(None)
)
_REPORTED = (
    select(  # type: ignore[call-overload]
        *(_REPORT.message_id, _REPORT.duplicate_of),
        *(_REPORT.arrival_date, _REPORT.report_date, _MESSAGE.received_at),
    )
    .join(_MESSAGE, col(_MESSAGE.id) == col(_REPORT.message_id))
    .where(col(_REPORT.id) == bindparam("report"))
)
_NEW_MESSAGE = insert_new(_MESSAGE, ("mailbox", "validity", "uid"), _MESSAGE.id)
_NEW_REPORT = insert(_REPORT)
_NEW_BOUNCE = insert(tables.Bounce).returning(*EVENT_COLUMNS, sort_by_parameter_order=True)

# What a transaction remembers of what it stored itself: messages without bounces yet and when they arrived,
# reports with what `add_bounces` asks of them.
_EMPTY, _FRESH = "empty", "fresh"


def find_message(session: Session, mailbox: str, validity: int, uid: str) -> tables.Message | None:
    """Return the row of the message at this place."""
    return session.exec(_AT_PLACE, params=_at(mailbox, validity, uid)).one_or_none()


def _at(mailbox: str, validity: int, uid: str) -> dict[str, Any]:
    return {"at_mailbox": mailbox, "at_validity": validity, "at_uid": uid}


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


class Intake(Writes):
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

        `sha256` is that of the raw bytes in hexadecimal, `size` in bytes. Raises AlreadyStored
        when the place is taken by a message that was stored already: ask `is_known` first.
        """
        told = {"sha256": sha256, "size": size, "received_at": received_at}
        told |= {"kind": kind, "reason": reason, "state": state}
        place = {"mailbox": mailbox, "validity": validity, "uid": uid}
        new = stored(self._rows, _NEW_MESSAGE, {**place, "seen_at": now, "attempts": 0, **told})
        if new is not None:
            remembered(self._rows, _EMPTY)[new] = received_at
            fresh.note_message(self._rows, new)
            return new
        row = find_message(self._rows, mailbox, validity, uid)
        if row is None or row.state != MessageState.SEEN:
            raise AlreadyStored(f"message {row and row.id} at this place is {row and row.state} already")
        for name, value in told.items():
            setattr(row, name, value)
        return self._keep(row).id

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
        first = self._find_first(report.fingerprint)
        row = report_row(message_id, report, now)
        row |= {"evidence": evidence, "tests": [list(test) for test in tests], "duplicate_of": first}
        number = self._insert(_NEW_REPORT, row)
        empty = remembered(self._rows, _EMPTY)
        if message_id in empty:
            times = (report.arrival_date, report.date, empty[message_id])
            remembered(self._rows, _FRESH)[number] = (message_id, first, *times)
        return StoredReport(report_id=number, duplicate_of=first)

    def add_bounces(self, report_id: int, bounces: Sequence[Bounce], now: datetime) -> tuple[Event, ...]:
        """Store the bounces of a report and return the failed ones as events, in order.

        Without a time of its own a bounce gets the report's, else the message's arrival, else `now`;
        none lies after `now`. For a duplicate nothing is stored. Raises NotThere for no such report.
        """
        message_id, duplicate_of, *times = self._reported(report_id)
        if duplicate_of is not None or not bounces:
            return ()
        told = next((time for time in times if time), now)
        ids = {"report_id": report_id, "message_id": message_id, "recorded_at": now}
        rows = [
            {**ids, "occurred_at": min(bounce.occurred_at or told, now), **bounce_row(bounce)}
            for bounce in bounces
        ]
        before = self._counted_before(message_id)
        new = self._rows.connection().execute(_NEW_BOUNCE, rows).all()
        fresh.note_bounces(self._rows, message_id, report_id, [row[0] for row in new])
        tally.count_in(self._rows, message_id, before, [tally.counted(row) for row in rows])
        return failed_events(new)  # as they were stored: the rules see what they will see later

    def counting_together(self) -> AbstractContextManager[None]:
        """Write to the counters once, when the block ends; nothing may ask for them in it."""
        return tally.gathering(self._rows)

    def set_state(self, message_id: int, state: MessageState, reason: str | None = None) -> None:
        """Note that a message was filed, left alone or quarantined. Repeating it changes nothing."""
        row = self._rows.get(tables.Message, message_id)
        if row is None:
            raise NotThere(f"there is no message {message_id}")
        row.state = state
        row.reason = reason or row.reason

    def note_filed(self, places: Sequence[tuple[str, int, str]]) -> None:
        """Note as filed the messages at these places (mailbox, validity, uid), as after their move."""
        self._rows.connection().execute(_FILED, [_at(*place) for place in places])

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

    def _reported(self, report_id: int) -> Sequence[Any]:
        """Return message, first report and times of a report, mostly one that was just stored."""
        known = remembered(self._rows, _FRESH).pop(report_id, None)
        report = known or ask(self._rows, _REPORTED, {"report": report_id}, _REPORT, _MESSAGE).one_or_none()
        if report is None:
            raise NotThere(f"there is no report {report_id}")
        return tuple(report)

    def _counted_before(self, message_id: int) -> Sequence[tally.Counted]:
        """Return the rows of a message that are counted already; none of one that has just come."""
        empty = remembered(self._rows, _EMPTY)
        if message_id not in empty:
            return tally.rows_of(self._rows, message_id)
        del empty[message_id]
        return ()

    def _find_first(self, fingerprint: str) -> int | None:
        if not fingerprint:
            return None
        asked = {"fingerprint": fingerprint}
        first: int | None = ask(self._rows, _FIRST_WITH, asked, _REPORT).scalar_one_or_none()
        return first

    def _keep(self, row: tables.Message) -> tables.Message:
        self._rows.add(row)
        self._rows.flush()
        return row

    def _insert(self, statement: Any, row: Mapping[str, Any]) -> int:
        (number,) = self._rows.connection().execute(statement, row).inserted_primary_key or (0,)
        return int(number)
