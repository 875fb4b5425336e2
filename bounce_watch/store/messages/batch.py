"""What several messages bring in, written together: a statement for many rows costs little more than one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert
from sqlmodel import Session, col, select

from bounce_watch.model import Bounce, Event, Evidence, Kind, Report
from bounce_watch.store import fresh, tables, tally
from bounce_watch.store.asking import ask
from bounce_watch.store.database.columns import MAX_TEXT, scrub
from bounce_watch.store.database.errors import NotThere
from bounce_watch.store.database.session import Writes
from bounce_watch.store.messages.events import EVENT_COLUMNS, failed_events
from bounce_watch.store.messages.rows import bounce_row, report_row
from bounce_watch.store.put_off import putting_off, remembered
from bounce_watch.store.records import StoredReport
from bounce_watch.store.vocabulary import MessageState

_MESSAGE, _REPORT, _BOUNCE = tables.Message, tables.Report, tables.Bounce
# Made once: to build a statement costs more than to ask it, and these are asked for every group.
_NEW_MESSAGES = insert(_MESSAGE).returning(col(_MESSAGE.id), sort_by_parameter_order=True)
_NEW_REPORTS = insert(_REPORT).returning(col(_REPORT.id), sort_by_parameter_order=True)
_NEW_BOUNCES = insert(_BOUNCE).returning(*EVENT_COLUMNS, sort_by_parameter_order=True)
_FIRST_WITH = select(_REPORT.fingerprint, _REPORT.id).where(
    col(_REPORT.fingerprint).in_(bindparam("fingerprints", expanding=True)),
    col(_REPORT.duplicate_of).is_(None),
)
_REPORTED = (
    select(  # type: ignore[call-overload]
        *(_REPORT.message_id, _REPORT.duplicate_of),
        *(_REPORT.arrival_date, _REPORT.report_date, _MESSAGE.received_at),
    )
    .join(_MESSAGE, col(_MESSAGE.id) == col(_REPORT.message_id))
    .where(col(_REPORT.id) == bindparam("report"))
)
_AT_MOST = 500
"""Fingerprints in one question."""

# What a transaction remembers of what it stored itself: messages without bounces yet and when they arrived,
# reports with what `add_bounces` asks of them.
_EMPTY, _FRESH = "empty", "fresh"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message to be stored. `sha256` is that of the raw bytes in hexadecimal, `size` in bytes."""

    mailbox: str
    validity: int
    uid: str
    sha256: str
    size: int
    received_at: datetime | None
    kind: Kind
    reason: str | None = None
    state: MessageState = MessageState.STORED


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """A report to be stored, with its evidence and the tests that led to it."""

    message_id: int
    report: Report
    evidence: Evidence | None
    tests: Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBounces:
    """The failed bounces of a report as events, in order; `newest` is its last row, None for no rows."""

    events: tuple[Event, ...] = ()
    newest: int | None = None


def note_new(session: Session, message_id: int, received_at: datetime | None) -> None:
    """Note that a message was stored in this transaction and holds nothing yet."""
    remembered(session, _EMPTY)[message_id] = received_at
    fresh.note_message(session, message_id)


class Together(Writes):
    """Writing what several messages say. What is done for one alone is done here too."""

    @contextmanager
    def writing_together(self) -> Iterator[None]:
        """Write counters, proofs and refusals once, when the block ends.

        Nothing may ask for counters in it; whoever asks for the others has them written first.
        """
        with tally.gathering(self._rows), putting_off(self._rows):
            yield

    def as_of(self, bounce: int) -> AbstractContextManager[None]:
        """Let rules and answers see no bounce newer than this one, as if those behind had not come yet."""
        return fresh.looking_from(self._rows, bounce)

    def add_new_messages(self, messages: Sequence[NewMessage], now: datetime) -> list[int]:
        """Store messages at places that are free, and return their numbers, in order."""
        rows = [{**_place(new), **_told(new), "seen_at": now, "attempts": 0} for new in messages]
        numbers = self._insert(_NEW_MESSAGES, rows)
        for number, new in zip(numbers, messages, strict=True):
            note_new(self._rows, number, new.received_at)
        return numbers

    def add_reports(self, reports: Sequence[NewReport], now: datetime) -> list[StoredReport]:
        """Store reports. The same fingerprint again makes a duplicate, whose bounces are not stored."""
        firsts = self._firsts({_key(new.report.fingerprint) for new in reports if new.report.fingerprint})
        stored: list[StoredReport] = []
        for run in _without_repeats(reports):
            stored += self._add_run(run, firsts, now)
        return stored

    def _add_run(
        self, reports: Sequence[NewReport], firsts: dict[str, int], now: datetime
    ) -> Iterator[StoredReport]:
        """Store reports that are no copies of one another; note those that others are copies of."""
        copies = [firsts.get(_key(new.report.fingerprint)) for new in reports]
        rows = [
            {
                **report_row(new.message_id, new.report, now),
                "evidence": new.evidence,
                "tests": [list(test) for test in new.tests],
                "duplicate_of": first,
            }
            for new, first in zip(reports, copies, strict=True)
        ]
        for number, new, first in zip(self._insert(_NEW_REPORTS, rows), reports, copies, strict=True):
            if new.report.fingerprint and first is None:
                firsts[_key(new.report.fingerprint)] = number
            self._remember(number, new, first)
            yield StoredReport(report_id=number, duplicate_of=first)

    def add_all_bounces(
        self, reports: Sequence[tuple[int, Sequence[Bounce]]], now: datetime
    ) -> list[StoredBounces]:
        """Store the bounces of reports and return the failed ones as events, in order.

        Without a time of its own a bounce gets the report's, else the message's arrival, else `now`;
        none lies after `now`. For a duplicate nothing is stored. Raises NotThere for no such report.
        """
        found = [(report, *self._rows_for(report, bounces, now)) for report, bounces in reports]
        before = {message: self._counted_before(message) for _, message, rows in found if rows}
        new = self._returned(_NEW_BOUNCES, [row for _, _, rows in found for row in rows])
        stored, added, start = [], {message: list[tally.Counted]() for message in before}, 0
        for report, message, rows in found:
            mine, start = new[start : start + len(rows)], start + len(rows)
            if mine:
                fresh.note_bounces(self._rows, message, report, [row[0] for row in mine])
                added[message] += map(tally.counted, rows)
            # As they were stored: the rules see what they will see later.
            stored.append(StoredBounces(events=failed_events(mine), newest=mine[-1][0] if mine else None))
        for message, counted in added.items():
            tally.count_in(self._rows, message, before[message], counted)
        return stored

    def _rows_for(
        self, report_id: int, bounces: Sequence[Bounce], now: datetime
    ) -> tuple[int, Sequence[Row]]:
        """Return the message of a report and its bounces as rows."""
        message_id, duplicate_of, *times = self._reported(report_id)
        if duplicate_of is not None:
            return message_id, ()
        told = next((time for time in times if time), now)
        ids = {"report_id": report_id, "message_id": message_id, "recorded_at": now}
        return message_id, [
            {**ids, "occurred_at": min(bounce.occurred_at or told, now), **bounce_row(bounce)}
            for bounce in bounces
        ]

    def _remember(self, number: int, new: NewReport, first: int | None) -> None:
        empty, report = remembered(self._rows, _EMPTY), new.report
        if new.message_id in empty:
            times = (report.arrival_date, report.date, empty[new.message_id])
            remembered(self._rows, _FRESH)[number] = (new.message_id, first, *times)

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

    def _firsts(self, fingerprints: set[str]) -> dict[str, int]:
        """Return the reports that stand for these fingerprints already."""
        asked, found = sorted(fingerprints), dict[str, int]()
        for start in range(0, len(asked), _AT_MOST):
            part = {"fingerprints": asked[start : start + _AT_MOST]}
            found.update((print_, number) for print_, number in ask(self._rows, _FIRST_WITH, part, _REPORT))
        return found

    def _insert(self, statement: Any, rows: Sequence[Row]) -> list[int]:
        return [row[0] for row in self._returned(statement, rows)]

    def _returned(self, statement: Any, rows: Sequence[Row]) -> Sequence[Any]:
        return self._rows.connection().execute(statement, rows).all() if rows else ()


def _place(new: NewMessage) -> Row:
    return {"mailbox": new.mailbox, "validity": new.validity, "uid": new.uid}


def _told(new: NewMessage) -> Row:
    return {
        "sha256": new.sha256,
        "size": new.size,
        "received_at": new.received_at,
        "kind": new.kind,
        "reason": new.reason,
        "state": new.state,
    }


def _key(fingerprint: str) -> str:
    """Return a fingerprint as it is stored."""
    return scrub(fingerprint[:MAX_TEXT])


def _without_repeats(reports: Sequence[NewReport]) -> Iterator[Sequence[NewReport]]:
    """Split reports where one has come before: a copy has to know the number of the first."""
    run: list[NewReport] = []
    known: set[str] = set()
    for new in reports:
        key = _key(new.report.fingerprint)
        if key and key in known:
            yield run
            run, known = [], set()
        run.append(new)
        known.add(key)
    if run:
        yield run
