"""Which rows a digest holds. Membership hangs on row numbers, never on the clock.

Each digest takes the rows after those of the one before it: late mail, an outage or a clock that
jumps moves a row into the next digest, never into two or none.
"""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from bounce_watch.model import Digest, Evidence, Health
from bounce_watch.store import tables
from bounce_watch.store.counting import MARKED, WEEK, Counting, Span
from bounce_watch.store.facts import KnownFacts
from bounce_watch.store.rooms import Writes

_AT = tables.Digest
_NOTHING = dict.fromkeys(MARKED, 0)


class Digests(KnownFacts):
    """Questions that a digest answers."""

    def last_digest(self) -> date | None:
        """Return the local date of the newest digest, None before the first."""
        with self._reading() as session:
            return session.exec(select(func.max(_AT.local_date))).one()

    def digest_facts(
        self,
        local_date: date,
        time_zone: str,
        now: datetime,
        *,
        accepted: Collection[Evidence] | None = None,
        health: Collection[Health] = (),
    ) -> Digest:
        """Count what the digest of a local date tells; one that was made before is counted again.

        `accepted` are the tiers that count, None for all. People read counts of mails, so all but
        `bounces` count messages.
        """
        with self._reading() as session:
            first_run = self.first_run_at()
            span = _span_of(session, local_date, now, first_run)
            watched = first_run is not None and first_run <= span.since - WEEK
            counting = Counting(session, span, accepted, watched=watched)
            return counting.digest(local_date, time_zone, tuple(health))


class DigestRecord(Digests, Writes):
    """Writing down that a digest was made."""

    def record_digest(self, digest: Digest, event_key: str | None) -> bool:
        """Close the span of a digest, in the transaction that counted it and wrote its mail.

        False when this date or a later one was closed before: then write no mail.
        `event_key` is None for an empty day of which nobody is told.
        """
        newest = self.last_digest()
        if newest is not None and digest.local_date <= newest:
            return False
        row = _AT(
            local_date=digest.local_date,
            time_zone=digest.time_zone,
            since=digest.since,
            until=digest.until,
            event_key=event_key,
            **_newest_rows(self._rows),
        )
        self._rows.add(row)
        self._rows.flush()
        return True


def _span_of(session: Session, local_date: date, now: datetime, first_run: datetime | None) -> Span:
    made = session.get(_AT, local_date)
    query = select(_AT).where(col(_AT.local_date) < local_date).order_by(col(_AT.local_date).desc())
    before = session.exec(query).first()
    start = _NOTHING if before is None else _marks(before)
    first = before is None
    if made is not None:
        return Span(since=made.since, until=made.until, is_first=first, start=start, end=_marks(made))
    since = (first_run or now) if before is None else before.until
    end = _newest_rows(session)
    return Span(since=since, until=max(now, since), is_first=first, start=start, end=end)


def _marks(row: tables.Digest) -> dict[str, int]:
    return {mark: getattr(row, mark) for mark in MARKED}


def _newest_rows(session: Session) -> dict[str, int]:
    return {mark: session.exec(select(func.max(column))).one() or 0 for mark, column in MARKED.items()}
