"""The figures of the report page, counted by the database, which is fast even for millions of rows."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from bounce_watch.model import GUIDANCE, Action, Count, IncidentState, IncidentStory, ListedBounce, Overview
from bounce_watch.store import tables
from bounce_watch.store.database.session import Queries, lend
from bounce_watch.store.incidents.detail import incident_steps
from bounce_watch.store.incidents.lifecycle import incident_of
from bounce_watch.store.queries.counts import ACTION, count_span, most
from bounce_watch.store.queries.history import History
from bounce_watch.store.records import HistoryFilter
from bounce_watch.store.vocabulary import By

LABELS, STORIES, BOUNCES = 50, 100, 500
"""Maximum lines of a count, incidents, and newest bounces."""


class Overviews(Queries):
    def overview(
        self, organisation: str, time_zone: str, since: datetime, until: datetime, bounces: int = BOUNCES
    ) -> Overview:
        """Return the figures of `since` <= time < `until`; lists contain the largest or newest entries."""
        chosen = HistoryFilter(since=since, until=until)
        with self._reading() as session:
            history, actions = History(lend(session)), count_span(session, ACTION, since, until)
            newest = tuple(
                ListedBounce(number=row.id, bounce=row.bounce, subject=row.subject)
                for row in history.find(chosen, limit=bounces)
            )
            stories = _stories(session, since, until)
            return Overview(
                organisation=organisation,
                time_zone=time_zone,
                since=since,
                until=until,
                messages=actions.messages[Action.FAILED],
                ticks=history.trend(since, until),
                owners=history.top(By.OWNER, chosen, LABELS),
                causes=history.top(By.CAUSE, chosen, LABELS),
                codes=history.top(By.CODE, chosen, LABELS),
                senders=history.top(By.SENDER, chosen, LABELS),
                domains=history.top(By.DOMAIN, chosen, LABELS),
                stories=stories[:STORIES],
                more_stories=len(stories) > STORIES,
                bounces=newest,
                left_out=actions.bounces.total() - len(newest),
                withheld=_withheld(session, since, until),
                replies_sent=_replies(session, since, until),
            )


def _stories(session: Session, since: datetime, until: datetime) -> tuple[IncidentStory, ...]:
    """Return the newest incidents that were open during the span, one more than is shown."""
    incident = tables.Incident
    rows: list[tables.Incident] = []
    for state in IncidentState:
        ended = [col(incident.resolved_at) >= since] if state.is_closed else []
        query = select(incident).where(col(incident.state) == state, col(incident.opened_at) < until, *ended)
        rows += session.exec(query.order_by(col(incident.number).desc()).limit(STORIES + 1))
    newest = sorted(rows, key=lambda row: -row.number)[: STORIES + 1]
    return tuple(
        IncidentStory(incident=incident_of(row), steps=incident_steps(session, row.number, STORIES))
        for row in newest
    )


def _withheld(session: Session, since: datetime, until: datetime) -> tuple[Count, ...]:
    withheld = tables.Withheld
    query = select(withheld.reason, func.count()).where(col(withheld.at) >= since, col(withheld.at) < until)
    return most(dict(session.exec(query.group_by(withheld.reason)).all()), LABELS)


def _replies(session: Session, since: datetime, until: datetime) -> int:
    outgoing = tables.Outgoing
    query = select(func.count()).where(
        col(outgoing.sent_at) >= since, col(outgoing.sent_at) < until, col(outgoing.kind).in_(GUIDANCE)
    )
    return session.exec(query).one()
