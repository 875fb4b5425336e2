"""Select the rows of a digest by row numbers, not by time.

Each digest contains the rows after those of the previous one. Late messages, an outage or a clock change
move a row to the next digest, but every row is in exactly one.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import zip_longest

from sqlalchemy import func
from sqlmodel import Session, col, select

from bounce_watch.model import Digest, Edition, Evidence, Health, closes
from bounce_watch.store import tables
from bounce_watch.store.database.session import Queries, Repository, lend
from bounce_watch.store.dns import changes
from bounce_watch.store.queries.digest_counts import MARKED, WEEK, Counting, Span
from bounce_watch.store.state import StateQueries

_DIGEST = tables.Digest
_NOTHING = dict.fromkeys(MARKED, 0)
_MOST_SEARCHED = 800
"""Digests searched for the end of the previous edition."""

WEEKS, DAY = 4, timedelta(days=1)
"""Number of earlier weeks that a digest is compared with."""


class DigestQueries(Queries):
    def last_date(self, today: date) -> date | None:
        """Return the local date of the newest digest, None before the first.

        One later than tomorrow was made by a wrong clock, and is passed over: no zone is a day ahead.
        """
        with self._reading() as session:
            newest = select(func.max(_DIGEST.local_date)).where(col(_DIGEST.local_date) <= today + DAY)
            return session.exec(newest).one()

    def can_count(self, local_date: date, today: date) -> bool:
        """Tell whether the digest of a date was made, or is still to be made."""
        newest = self.last_date(today) or today - DAY
        with self._reading() as session:
            return newest < local_date <= today or session.get(_DIGEST, local_date) is not None

    def count(
        self,
        local_date: date,
        time_zone: str,
        now: datetime,
        *,
        accepted: Collection[Evidence] | None = None,
        health: Collection[Health] = (),
        edition: Edition = Edition.DAILY,
        weekday: int = 0,
    ) -> Digest:
        """Return the figures of the digest of a local date; an earlier digest is counted again.

        `accepted` are the trust levels that count, None for all. All figures except `bounces` count messages.
        A weekly or monthly edition (`weekday` as in `model.closes`) starts after the digest that ended the
        previous edition.
        """
        with self._reading() as session:
            first_run = StateQueries(lend(session)).first_run_at()
            before = edition_before(session, local_date, edition, weekday)
            span = _span_of(session, local_date, now, first_run, before)
            if edition is Edition.DAILY and session.get(_DIGEST, local_date) is None:
                span = replace(span, start=_marks_before(session, before.local_date if before else None))
            counting = Counting(session, span, accepted, usual=_usual(span, first_run, edition))
            missed = (local_date - before.local_date).days - 1 if before and edition is Edition.DAILY else 0
            digest = counting.digest(
                local_date, time_zone, tuple(health), edition=edition, missed=max(missed, 0)
            )
            return replace(digest, records=tuple(changes(session, span.since, span.until)))

    def editions_due(self, local_date: date, weekday: int) -> tuple[Edition, ...]:
        """Return the longer editions that end with the digest of a local date."""
        with self._reading() as session:
            before = edition_before(session, local_date)
        previous = before.local_date if before else local_date - DAY
        longer = (Edition.WEEKLY, Edition.MONTHLY)
        return tuple(edition for edition in longer if closes(edition, weekday, previous, local_date))

    def last_until(self) -> datetime | None:
        """Return when the newest digest was created, None before the first."""
        with self._reading() as session:
            return session.exec(
                select(_DIGEST.until).order_by(col(_DIGEST.local_date).desc()).limit(1)
            ).first()


class Digests(DigestQueries, Repository):
    def record(self, digest: Digest, event_key: str | None) -> bool:
        """Record a digest, in the same transaction that counted it and wrote its message.

        Returns False when this date or a later one was recorded before: then do not write the message.
        `event_key` is None for an empty day without a message.
        """
        newest = self.last_date(digest.local_date)
        if newest is not None and digest.local_date <= newest:
            return False
        row = _DIGEST(
            local_date=digest.local_date,
            time_zone=digest.time_zone,
            since=digest.since,
            until=digest.until,
            event_key=event_key,
            **_newest_rows(self._rows, _marks_before(self._rows, newest)),
        )
        self._rows.add(row)
        self._rows.flush()
        return True


def edition_before(
    session: Session, local_date: date, edition: Edition = Edition.DAILY, weekday: int = 0
) -> tables.Digest | None:
    """Return the newest digest before a date that ended an edition, None for none."""
    query = (
        select(_DIGEST).where(col(_DIGEST.local_date) < local_date).order_by(col(_DIGEST.local_date).desc())
    )
    made = list(session.exec(query.limit(1 if edition is Edition.DAILY else _MOST_SEARCHED)))
    for row, older in zip_longest(made, made[1:]):
        previous = older.local_date if older else row.local_date - DAY
        if closes(edition, weekday, previous, row.local_date):
            return row
    return None


def _span_of(
    session: Session,
    local_date: date,
    now: datetime,
    first_run: datetime | None,
    before: tables.Digest | None,
) -> Span:
    made = session.get(_DIGEST, local_date)
    start = _NOTHING if before is None else _marks(before)
    first = before is None
    since = (first_run or now) if before is None else before.until
    if made is not None:
        since = min(since, made.until) if before is None else since
        return Span(since=since, until=made.until, is_first=first, start=start, end=_marks(made))
    end = _newest_rows(session, start)
    return Span(since=since, until=max(now, since), is_first=first, start=start, end=end)


def _usual(span: Span, first_run: datetime | None, edition: Edition) -> list[tuple[datetime, datetime]]:
    """Return the spans to compare with: the same days of four weeks or the month before."""
    length = max(span.until - span.since, DAY)
    step, most = (length, 1) if edition is Edition.MONTHLY else (-(-length // WEEK) * WEEK, WEEKS)
    shifts = [number * step for number in range(1, most + 1)]
    return [
        (span.since - shift, span.until - shift)
        for shift in shifts
        if first_run is not None and first_run <= span.since - shift
    ]


def _marks(row: tables.Digest) -> dict[str, int]:
    return {mark: getattr(row, mark) for mark in MARKED}


def _marks_before(session: Session, newest: date | None) -> dict[str, int]:
    """Return the newest rows that any digest reported, also one of a date to come, by a wrong clock.

    Before the one of the date `newest` none reported more.
    """
    marks = select(*(func.max(col(getattr(_DIGEST, mark))) for mark in MARKED))
    highest = session.exec(marks.where(col(_DIGEST.local_date) >= (newest or date.min))).one()
    return {mark: number or 0 for mark, number in zip(MARKED, highest, strict=True)}


def _newest_rows(session: Session, at_least: Mapping[str, int]) -> dict[str, int]:
    """Return the newest row number of each table, not below that of the previous digest."""
    newest = {mark: session.exec(select(func.max(column))).one() or 0 for mark, column in MARKED.items()}
    return {mark: max(number, at_least[mark]) for mark, number in newest.items()}
