"""The facts of the report page, counted by the database so that a store of millions answers quickly.

How many mails failed for each cause, hour by hour."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from bounce_watch.model import (
    Action,
    Cause,
    Count,
    HourCount,
    IncidentState,
    IncidentStep,
    IncidentStory,
    LetterKind,
    ListedBounce,
    Overview,
)
from bounce_watch.store import tables
from bounce_watch.store.database.session import Reads
from bounce_watch.store.incidents.lifecycle import incident_of
from bounce_watch.store.queries.filters import conditions_of, needs_report
from bounce_watch.store.queries.people import People
from bounce_watch.store.records import HistoryFilter
from bounce_watch.store.tally import HOUR, Dimension, Grain, hour_of, hour_start
from bounce_watch.store.tops import counted, most
from bounce_watch.store.vocabulary import By

_AT, _TALLY = tables.Bounce, tables.Tally
_EVERYTHING = HistoryFilter()


class Trends(Reads):
    """Questions about the course of time."""

    def trend(
        self, since: datetime, until: datetime | None = None, chosen: HistoryFilter = _EVERYTHING
    ) -> tuple[HourCount, ...]:
        """Return the hours from `since` on in which mails failed, oldest first; both ends in whole hours."""
        with self._reading() as session:
            if chosen == _EVERYTHING:
                return tuple(_kept(session, since, until))
            return tuple(_counted(session, replace(chosen, since=since, until=until)))


def _kept(session: Session, since: datetime, until: datetime | None) -> Iterator[HourCount]:
    period, label, messages = col(_TALLY.period), col(_TALLY.label), func.sum(_TALLY.messages)
    query = select(period, label, messages).where(
        col(_TALLY.dimension) == Dimension.CAUSE, col(_TALLY.grain) == Grain.HOUR, period >= hour_of(since)
    )
    if until is not None:
        query = query.where(period < -(-(until - hour_start(0)) // HOUR))
    query = query.group_by(period, label).having(messages > 0).order_by(period, label)
    known = {str(cause): cause for cause in Cause}
    return (
        HourCount(at=hour_start(hour), cause=known.get(cause, Cause.UNKNOWN), messages=count)
        for hour, cause, count in session.exec(query)
    )


def _counted(session: Session, chosen: HistoryFilter) -> Iterator[HourCount]:
    first: Any = func.min(_AT.occurred_at)
    query = select(first, _AT.cause).where(col(_AT.action) == Action.FAILED, *conditions_of(chosen))
    if needs_report(chosen):
        query = query.join(tables.Report, col(tables.Report.id) == col(_AT.report_id))
    found: dict[tuple[int, str], int] = {}
    for at, cause in session.exec(query.group_by(col(_AT.message_id), col(_AT.cause))):
        key = (hour_of(at), cause)
        found[key] = found.get(key, 0) + 1
    for (hour, cause), count in sorted(found.items()):
        yield HourCount(at=hour_start(hour), cause=Cause.read(cause), messages=count)


LABELS, STORIES, BOUNCES = 50, 100, 500
"""At most so many lines of a count, incidents, and newest bounces."""


class Overviews(People, Trends):
    """The question that the report page answers."""

    def overview(
        self, organisation: str, time_zone: str, since: datetime, until: datetime, bounces: int = BOUNCES
    ) -> Overview:
        """Return what happened in `since` <= time < `until`; lists hold the largest and the newest."""
        chosen = HistoryFilter(since=since, until=until)
        with self._reading() as session:
            actions = counted(session, Dimension.ACTION, since=since, until=until)
            newest = tuple(
                ListedBounce(number=row.id, bounce=row.bounce, subject=row.subject)
                for row in self.history(chosen, limit=bounces)
            )
            stories = _stories(session, since, until)
            return Overview(
                organisation=organisation,
                time_zone=time_zone,
                since=since,
                until=until,
                messages=actions.messages[Action.FAILED],
                ticks=self.trend(since, until),
                owners=self.top(By.OWNER, chosen, LABELS),
                causes=self.top(By.CAUSE, chosen, LABELS),
                codes=self.top(By.CODE, chosen, LABELS),
                senders=self.top(By.SENDER, chosen, LABELS),
                domains=self.top(By.DOMAIN, chosen, LABELS),
                stories=stories[:STORIES],
                more_stories=len(stories) > STORIES,
                bounces=newest,
                left_out=actions.bounces.total() - len(newest),
                withheld=_withheld(session, since, until),
                replies_sent=_replies(session, since, until),
            )


def _stories(session: Session, since: datetime, until: datetime) -> tuple[IncidentStory, ...]:
    """Return the newest incidents that were unresolved at some time of the span, one more than is shown."""
    at = tables.Incident
    ended = (col(at.state) == IncidentState.RESOLVED, col(at.resolved_at) >= since)
    rows: list[tables.Incident] = []
    for state in ((col(at.state) == IncidentState.OPEN,), ended):
        query = select(at).where(*state, col(at.opened_at) < until)
        rows += session.exec(query.order_by(col(at.number).desc()).limit(STORIES + 1))
    newest = sorted(rows, key=lambda row: -row.number)[: STORIES + 1]
    return tuple(
        IncidentStory(incident=incident_of(row), steps=_steps(session, row.number)) for row in newest
    )


def _steps(session: Session, number: int) -> tuple[IncidentStep, ...]:
    line = tables.IncidentChange
    query = select(line).where(col(line.incident) == number).order_by(col(line.id)).limit(STORIES)
    return tuple(
        IncidentStep(at=row.at, change=row.change, by=row.by, note=row.note, messages=row.messages)
        for row in session.exec(query)
    )


def _withheld(session: Session, since: datetime, until: datetime) -> tuple[Count, ...]:
    at = tables.Withheld
    query = select(at.reason, func.count()).where(col(at.at) >= since, col(at.at) < until)
    return most(dict(session.exec(query.group_by(at.reason)).all()), LABELS)


def _replies(session: Session, since: datetime, until: datetime) -> int:
    at = tables.Outgoing
    query = select(func.count()).where(
        col(at.sent_at) >= since, col(at.sent_at) < until, col(at.kind) == LetterKind.REPLY
    )
    return session.exec(query).one()
