"""How many mails failed for each cause, hour by hour."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from bounce_watch.model import Action, Cause, Tick
from bounce_watch.store import tables
from bounce_watch.store.filters import conditions_of, needs_report
from bounce_watch.store.records import HistoryFilter
from bounce_watch.store.rooms import Reads
from bounce_watch.store.tally import HOUR, Dimension, Grain, hour_of, hour_start

_AT, _TALLY = tables.Bounce, tables.Tally
_EVERYTHING = HistoryFilter()


class Trends(Reads):
    """Questions about the course of time."""

    def trend(
        self, since: datetime, until: datetime | None = None, chosen: HistoryFilter = _EVERYTHING
    ) -> tuple[Tick, ...]:
        """Return the hours from `since` on in which mails failed, oldest first; both ends in whole hours."""
        with self._reading() as session:
            if chosen == _EVERYTHING:
                return tuple(_kept(session, since, until))
            return tuple(_counted(session, replace(chosen, since=since, until=until)))


def _kept(session: Session, since: datetime, until: datetime | None) -> Iterator[Tick]:
    period, label, messages = col(_TALLY.period), col(_TALLY.label), func.sum(_TALLY.messages)
    query = select(period, label, messages).where(
        col(_TALLY.dimension) == Dimension.CAUSE, col(_TALLY.grain) == Grain.HOUR, period >= hour_of(since)
    )
    if until is not None:
        query = query.where(period < -(-(until - hour_start(0)) // HOUR))
    query = query.group_by(period, label).having(messages > 0).order_by(period, label)
    known = {str(cause): cause for cause in Cause}
    return (
        Tick(at=hour_start(hour), cause=known.get(cause, Cause.UNKNOWN), messages=count)
        for hour, cause, count in session.exec(query)
    )


def _counted(session: Session, chosen: HistoryFilter) -> Iterator[Tick]:
    first: Any = func.min(_AT.occurred_at)
    query = select(first, _AT.cause).where(col(_AT.action) == Action.FAILED, *conditions_of(chosen))
    if needs_report(chosen):
        query = query.join(tables.Report, col(tables.Report.id) == col(_AT.report_id))
    found: dict[tuple[int, str], int] = {}
    for at, cause in session.exec(query.group_by(col(_AT.message_id), col(_AT.cause))):
        key = (hour_of(at), cause)
        found[key] = found.get(key, 0) + 1
    for (hour, cause), count in sorted(found.items()):
        yield Tick(at=hour_start(hour), cause=Cause.read(cause), messages=count)
