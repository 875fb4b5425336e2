"""Queries about bounces: lists, counts, trends and details."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from bounce_watch.model import Action, Cause, Count, HourCount, Incident
from bounce_watch.store import tables
from bounce_watch.store.database.columns import fold
from bounce_watch.store.database.errors import NotThere
from bounce_watch.store.database.session import Queries
from bounce_watch.store.database.values import value_of
from bounce_watch.store.incidents.lifecycle import incident_of
from bounce_watch.store.messages.rows import bounce_row_of, report_of
from bounce_watch.store.outbox.queries import entries
from bounce_watch.store.queries.counts import (
    COLUMNS,
    DAY,
    EPOCH,
    HOUR,
    count_outlived,
    most,
    period_of,
    whole_days,
    within,
)
from bounce_watch.store.queries.filters import conditions_of, needs_report
from bounce_watch.store.records import BounceDetail, BounceRow, HistoryFilter, MessageRecord, WithheldRow
from bounce_watch.store.vocabulary import By, Order, Sort

_BOUNCE = tables.Bounce
_EVERYTHING = HistoryFilter()
_STREAM, _MOST = 500, 2**62
_SORTS = {
    Sort.WHEN: _BOUNCE.occurred_at,
    Sort.SENDER: _BOUNCE.sender_key,
    Sort.RECIPIENT: _BOUNCE.recipient_key,
    Sort.DOMAIN: _BOUNCE.recipient_domain,
    Sort.CAUSE: _BOUNCE.cause,
    Sort.CODE: _BOUNCE.status,
    Sort.OWNER: _BOUNCE.owner,
}


class History(Queries):
    def find(
        self,
        chosen: HistoryFilter = _EVERYTHING,
        *,
        limit: int | None = 100,
        offset: int = 0,
        order: Order = Order.NEWEST,
        sort: Sort = Sort.WHEN,
    ) -> Iterator[BounceRow]:
        """Yield the bounces that match a filter, streamed from the database; `limit` None for all.

        They are sorted by `sort`, ascending, then by time in `order`; by default only by time.
        """
        report = tables.Report
        query = select(_BOUNCE, report.original_subject, report.original_message_id)
        query = query.join(report, col(report.id) == col(_BOUNCE.report_id)).where(*conditions_of(chosen))
        if sort is not Sort.WHEN:
            query = query.order_by(col(_SORTS[sort]))
        for column in (col(_BOUNCE.occurred_at), col(_BOUNCE.id)):
            query = query.order_by(column.desc() if order is Order.NEWEST else column.asc())
        query = query.limit(_at_most(limit)).offset(_at_most(offset)).execution_options(yield_per=_STREAM)
        with self._reading() as session, closing(session.exec(query)) as rows:
            for row, subject, message_id in rows:
                yield bounce_row_of(row, subject, message_id)

    def count(self, chosen: HistoryFilter = _EVERYTHING) -> int:
        query = select(func.count()).select_from(_BOUNCE).where(*conditions_of(chosen))
        if needs_report(chosen):
            query = query.join(tables.Report, col(tables.Report.id) == col(_BOUNCE.report_id))
        with self._reading() as session:
            return session.exec(query).one()

    def top(self, by: By, chosen: HistoryFilter = _EVERYTHING, limit: int = 10) -> tuple[Count, ...]:
        """Count failed messages (not recipients) by one column, largest first.

        Without a filter, or with a time span only, the daily counts of deleted messages are included.
        """
        label, messages = col(COLUMNS[by]), func.count(func.distinct(_BOUNCE.message_id))
        query = select(label, messages).where(col(_BOUNCE.action) == Action.FAILED, label.is_not(None))
        without_span = replace(chosen, since=None, until=None)
        query = query.where(*conditions_of(without_span), *within(chosen.since, chosen.until))
        query = query.group_by(label).order_by(messages.desc(), label)
        if needs_report(chosen):
            query = query.join(tables.Report, col(tables.Report.id) == col(_BOUNCE.report_id))
        with self._reading() as session:
            kept = (
                count_outlived(session, by, chosen.since, chosen.until).messages
                if without_span == _EVERYTHING
                else None
            )
            counts = Counter(dict(session.exec(query if kept else query.limit(limit)).all()))
        return most(counts + kept if kept else counts, limit)

    def newest(self) -> int:
        with self._reading() as session:
            return session.exec(select(func.max(_BOUNCE.id))).one() or 0

    def trend(
        self, since: datetime, until: datetime | None = None, chosen: HistoryFilter = _EVERYTHING
    ) -> tuple[HourCount, ...]:
        """Return the hours from `since` on in which messages failed, oldest first, by cause.

        Both ends are full hours. A message counts for a cause in the hour of its first bounce. Deleted
        messages count in the first hour of their day.
        """
        first: Any = func.min(_BOUNCE.occurred_at).label("first")
        found = select(first, _BOUNCE.cause).where(
            col(_BOUNCE.action) == Action.FAILED, *conditions_of(replace(chosen, since=since, until=until))
        )
        if needs_report(chosen):
            found = found.join(tables.Report, col(tables.Report.id) == col(_BOUNCE.report_id))
        firsts = found.group_by(col(_BOUNCE.message_id), col(_BOUNCE.cause)).subquery()
        hour = period_of(firsts.c.first, HOUR)
        query: Any = select(hour, firsts.c.cause, func.count()).group_by(hour, firsts.c.cause)
        with self._reading() as session:
            counts = Counter({(at, cause): count for at, cause, count in session.execute(query)})
            if chosen == _EVERYTHING:
                counts.update(_outlived_by_day(session, since, until))
        return tuple(
            HourCount(at=EPOCH + at * HOUR, cause=Cause.read(cause), messages=count)
            for (at, cause), count in sorted(counts.items())
        )

    def labels(self, by: By, start: str, limit: int = 50) -> tuple[str, ...]:
        """Return the senders, domains, causes or codes of bounces that start with `start`."""
        label, low = col(COLUMNS[by]), fold(start)
        query = select(label).where(label >= low, label < f"{low}\U0010ffff").distinct()
        with self._reading() as session:
            return tuple(session.exec(query.order_by(label).limit(limit)))

    def show(self, bounce_id: int) -> BounceDetail:
        """Return everything about a bounce and its report. Raises NotThere for an unknown number."""
        with self._reading() as session:
            row = session.get(_BOUNCE, bounce_id)
            if row is None:
                raise NotThere(f"there is no bounce {bounce_id}", "`bounce-watch history` lists them.")
            return _detail(session, row)


def _outlived_by_day(session: Session, since: datetime, until: datetime | None) -> dict[tuple[int, str], int]:
    daily_count = tables.DailyCount
    query = select(daily_count.day, daily_count.label, func.sum(daily_count.messages)).where(
        col(daily_count.dimension) == By.CAUSE, *whole_days(since, until)
    )
    rows = session.exec(query.group_by(col(daily_count.day), col(daily_count.label)))
    return {(day * (DAY // HOUR), cause): int(count) for day, cause, count in rows}


def _at_most(rows: int | None) -> int | None:
    return None if rows is None else min(rows, _MOST)


def _detail(session: Session, shown: tables.Bounce) -> BounceDetail:
    report_id = shown.report_id
    report = session.get_one(tables.Report, report_id)
    rows = session.exec(select(_BOUNCE).where(col(_BOUNCE.report_id) == report_id).order_by(col(_BOUNCE.id)))
    bounces = [bounce_row_of(row, report.original_subject, report.original_message_id) for row in rows]
    withheld = select(tables.Withheld).where(col(tables.Withheld.report_id) == report_id)
    withheld = withheld.order_by(col(tables.Withheld.id))
    return BounceDetail(
        bounce=next(row for row in bounces if row.id == shown.id),
        bounces=tuple(bounces),
        report=report_of(session, report),
        message=value_of(MessageRecord, session.get_one(tables.Message, report.message_id)),
        mails=entries(session, col(tables.Outgoing.report_id) == report_id),
        withheld=tuple(
            value_of(WithheldRow, row) for row in session.exec(withheld.order_by(col(tables.Withheld.id)))
        ),
        incidents=_incidents_of(session, [row.id for row in bounces]),
    )


def _incidents_of(session: Session, bounce_ids: list[int]) -> tuple[Incident, ...]:
    link, incident = tables.IncidentEvent, tables.Incident
    numbers = select(link.incident).where(col(link.bounce_id).in_(bounce_ids))
    query = select(incident).where(col(incident.number).in_(numbers)).order_by(col(incident.number))
    return tuple(incident_of(row) for row in session.exec(query))
