"""Questions about the past: what bounced, why, and what was written about it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from sqlalchemy import CTE, func, literal, union_all
from sqlmodel import Session, col, select

from bounce_watch.model import Action, Count, Incident
from bounce_watch.store import tables
from bounce_watch.store.database.errors import NotThere
from bounce_watch.store.database.session import Reads
from bounce_watch.store.incidents.lifecycle import incident_of
from bounce_watch.store.messages.rows import bounce_row_of, message_of, report_of
from bounce_watch.store.outbox.queries import entries, withheld_of
from bounce_watch.store.queries.filters import conditions_of, needs_report
from bounce_watch.store.records import BounceDetail, BounceRow, HistoryFilter
from bounce_watch.store.tally import Dimension
from bounce_watch.store.tops import counted, most
from bounce_watch.store.vocabulary import By, Order, Sort

_AT = tables.Bounce
_EVERYTHING = HistoryFilter()
_STREAM, _MOST = 500, 2**62
_SORTS = {
    Sort.WHEN: _AT.occurred_at,
    Sort.SENDER: _AT.sender_key,
    Sort.RECIPIENT: _AT.recipient_key,
    Sort.DOMAIN: _AT.recipient_domain,
    Sort.CAUSE: _AT.cause,
    Sort.CODE: _AT.status,
    Sort.OWNER: _AT.owner,
}
_COLUMNS = {
    By.SENDER: _AT.sender_key,
    By.DOMAIN: _AT.recipient_domain,
    By.CAUSE: _AT.cause,
    By.CODE: _AT.status,
    By.OWNER: _AT.owner,
    By.RECIPIENT: _AT.recipient_key,
}
_TALLIED = {by: Dimension(by) for by in By if by is not By.RECIPIENT}
"""What the counters know. (`by in Dimension` would ask for this very member up to Python 3.11.)"""


class History(Reads):
    """Questions about bounces."""

    def history(
        self,
        chosen: HistoryFilter = _EVERYTHING,
        *,
        limit: int | None = 100,
        offset: int = 0,
        order: Order = Order.NEWEST,
        sort: Sort = Sort.WHEN,
    ) -> Iterator[BounceRow]:
        """Yield the bounces of a filter, read as they are asked for; `limit` None for all.

        `sort` is what they are sorted by, ascending; equal ones, and all by default, by time in `order`.
        """
        report = tables.Report
        query = select(_AT, report.original_subject, report.original_message_id)
        query = query.join(report, col(report.id) == col(_AT.report_id)).where(*conditions_of(chosen))
        if sort is not Sort.WHEN:
            query = query.order_by(col(_SORTS[sort]))
        for column in (col(_AT.occurred_at), col(_AT.id)):
            query = query.order_by(column.desc() if order is Order.NEWEST else column.asc())
        query = query.limit(_at_most(limit)).offset(_at_most(offset)).execution_options(yield_per=_STREAM)
        with self._reading() as session, closing(session.exec(query)) as rows:
            for row, subject, message_id in rows:
                yield bounce_row_of(row, subject, message_id)

    def count(self, chosen: HistoryFilter = _EVERYTHING) -> int:
        """Return how many bounces a filter finds."""
        query = select(func.count()).select_from(_AT).where(*conditions_of(chosen))
        if needs_report(chosen):
            query = query.join(tables.Report, col(tables.Report.id) == col(_AT.report_id))
        with self._reading() as session:
            return session.exec(query).one()

    def top(self, by: By, chosen: HistoryFilter = _EVERYTHING, limit: int = 10) -> tuple[Count, ...]:
        """Count failed messages (not recipients) by one value, most first."""
        if by in _TALLIED and replace(chosen, since=None, until=None) == _EVERYTHING:
            return self._top_of_all(_TALLIED[by], chosen, limit)
        if chosen == _EVERYTHING:
            return self._top_of_many(col(_COLUMNS[by]), limit)
        column = col(_COLUMNS[by])
        messages = func.count(func.distinct(_AT.message_id))
        query = select(column, messages).where(col(_AT.action) == Action.FAILED, column.is_not(None))
        query = query.where(*conditions_of(chosen)).group_by(column).order_by(messages.desc(), column)
        if needs_report(chosen):
            query = query.join(tables.Report, col(tables.Report.id) == col(_AT.report_id))
        with self._reading() as session:
            return tuple(Count(label=label or "", now=now) for label, now in session.exec(query.limit(limit)))

    def tops(
        self, columns: Sequence[By], chosen: HistoryFilter, limit: int = 10
    ) -> tuple[tuple[Count, ...], ...]:
        """Count failed messages by each of several values, as `top` does, but read their rows only once."""
        read: list[Any] = [_AT.message_id, *(col(_COLUMNS[by]).label(by.value) for by in columns)]
        query = select(*read).where(col(_AT.action) == Action.FAILED, *conditions_of(chosen))
        if needs_report(chosen):
            query = query.join(tables.Report, col(tables.Report.id) == col(_AT.report_id))
        failures = query.cte("failures")
        most_by = [_most_by(failures, by, limit) for by in columns]
        with self._reading() as session:
            found = session.execute(union_all(*most_by)).all()
        return tuple(most({label: now for of, label, now in found if of == by}, limit) for by in columns)

    def _top_of_all(self, dimension: Dimension, chosen: HistoryFilter, limit: int) -> tuple[Count, ...]:
        with self._reading() as session:
            found = counted(session, dimension, since=chosen.since, until=chosen.until).messages
        return most(found, limit)

    def _top_of_many(self, column: Any, limit: int) -> tuple[Count, ...]:
        """Rank by rows, which is quick, then count the mails of those that can be among the first."""
        failed, rows = col(_AT.action) == Action.FAILED, func.count()
        ranked = select(column, rows).where(failed, column.is_not(None)).group_by(column)
        with self._reading() as session:
            candidates = session.exec(ranked.order_by(rows.desc(), column).limit(limit * 20)).all()
            messages: dict[str, int] = {}
            for label, at_most in candidates:
                if len(messages) >= limit and at_most < sorted(messages.values())[-limit]:
                    return most(messages, limit)
                one = select(func.count(func.distinct(_AT.message_id))).where(failed, column == label)
                messages[label] = session.exec(one).one()
        return most(messages, limit)

    def show(self, bounce_id: int) -> BounceDetail:
        """Return everything about the bounce and its report. Raises NotThere for no such number."""
        with self._reading() as session:
            row = session.get(_AT, bounce_id)
            if row is None:
                raise NotThere(f"there is no bounce {bounce_id}", "`bounce-watch history` lists them.")
            return _detail(session, row.report_id, bounce_id)

    def show_report(self, report_id: int) -> BounceDetail:
        """Return everything about a report. Raises NotThere for no such number."""
        with self._reading() as session:
            return _detail(session, report_id, None)


def _most_by(failures: CTE, by: By, limit: int) -> Any:
    column, messages = failures.c[by.value], func.count(func.distinct(failures.c.message_id))
    ranked = select(literal(by.value), column, messages).where(column.is_not(None)).group_by(column)
    return select(ranked.order_by(messages.desc(), column).limit(limit).subquery())


def _at_most(rows: int | None) -> int | None:
    return None if rows is None else min(rows, _MOST)


def _detail(session: Session, report_id: int, bounce_id: int | None) -> BounceDetail:
    report = session.get(tables.Report, report_id)
    if report is None:
        raise NotThere(f"there is no report {report_id}")
    rows = session.exec(select(_AT).where(col(_AT.report_id) == report_id).order_by(col(_AT.id)))
    bounces = [bounce_row_of(row, report.original_subject, report.original_message_id) for row in rows]
    withheld = select(tables.Withheld).where(col(tables.Withheld.report_id) == report_id)
    return BounceDetail(
        bounce=next((row for row in bounces if row.id == bounce_id), None),
        bounces=tuple(bounces),
        report=report_of(session, report),
        message=message_of(session.get_one(tables.Message, report.message_id)),
        mails=entries(session, col(tables.Outgoing.report_id) == report_id),
        withheld=tuple(withheld_of(row) for row in session.exec(withheld.order_by(col(tables.Withheld.id)))),
        incidents=_incidents_of(session, [row.id for row in bounces]),
    )


def _incidents_of(session: Session, bounce_ids: list[int]) -> tuple[Incident, ...]:
    link, incident = tables.IncidentEvent, tables.Incident
    numbers = select(link.incident).where(col(link.bounce_id).in_(bounce_ids))
    query = select(incident).where(col(incident.number).in_(numbers)).order_by(col(incident.number))
    return tuple(incident_of(row) for row in session.exec(query))
