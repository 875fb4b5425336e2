"""The facts of the report page, counted by the database so that a store of millions answers quickly."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from bounce_watch.model import Action, Count, IncidentState, LetterKind, Listed, Overview, Step, Story
from bounce_watch.store import tables
from bounce_watch.store.incident_life import incident_of
from bounce_watch.store.people import People
from bounce_watch.store.records import HistoryFilter
from bounce_watch.store.tally import Dimension
from bounce_watch.store.tops import counted, most
from bounce_watch.store.trend import Trends
from bounce_watch.store.words import By

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
                Listed(number=row.id, bounce=row.bounce, subject=row.subject)
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


def _stories(session: Session, since: datetime, until: datetime) -> tuple[Story, ...]:
    """Return the newest incidents that were unresolved at some time of the span, one more than is shown."""
    at = tables.Incident
    ended = (col(at.state) == IncidentState.RESOLVED, col(at.resolved_at) >= since)
    rows: list[tables.Incident] = []
    for state in ((col(at.state) == IncidentState.OPEN,), ended):
        query = select(at).where(*state, col(at.opened_at) < until)
        rows += session.exec(query.order_by(col(at.number).desc()).limit(STORIES + 1))
    newest = sorted(rows, key=lambda row: -row.number)[: STORIES + 1]
    return tuple(Story(incident=incident_of(row), steps=_steps(session, row.number)) for row in newest)


def _steps(session: Session, number: int) -> tuple[Step, ...]:
    line = tables.IncidentChange
    query = select(line).where(col(line.incident) == number).order_by(col(line.id)).limit(STORIES)
    return tuple(
        Step(at=row.at, change=row.change, by=row.by, note=row.note, messages=row.messages)
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
