"""Bounces as the pattern rules see them."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import col, select

from bounce_watch.model import Action, Cause, Event, Evidence, Side
from bounce_watch.store import tables
from bounce_watch.store.columns import fold
from bounce_watch.store.rooms import Reads

MAX_EVENTS = 10_000
"""Events looked at for one rule and key; of more, the newest."""


def event_of(row: tables.Bounce) -> Event:
    """Return a row as the event it is."""
    return Event(
        bounce_id=row.id,
        message_id=row.message_id,
        occurred_at=row.occurred_at,
        cause=Cause.read(row.cause),
        status=row.status,
        side=None if row.side is None else Side(row.side),
        evidence=None if row.evidence is None else Evidence(row.evidence),
        sender=row.sender,
        sender_domain=row.sender_domain,
        recipient=row.recipient,
        recipient_domain=row.recipient_domain,
    )


class Events(Reads):
    """Which bounces a rule is to look at."""

    def events(
        self,
        *,
        since: datetime,
        until: datetime,
        causes: Collection[Cause] = (),
        statuses: Collection[str] = (),
        sender: str | None = None,
        sender_domain: str | None = None,
        recipient_domain: str | None = None,
        limit: int = MAX_EVENTS,
    ) -> tuple[Event, ...]:
        """Return failed bounces of `since` <= time <= `until`, oldest first; of too many the newest.

        Every filter given must hold; an empty `causes` or `statuses` asks nothing.
        """
        at = tables.Bounce
        query = select(at).where(
            col(at.action) == Action.FAILED, col(at.occurred_at) >= since, col(at.occurred_at) <= until
        )
        if causes:
            query = query.where(col(at.cause).in_(sorted(causes)))
        if statuses:
            query = query.where(col(at.status).in_(sorted(statuses)))
        for column, value in (
            (col(at.sender_key), sender),
            (col(at.sender_domain), sender_domain),
            (col(at.recipient_domain), recipient_domain),
        ):
            if value is not None:
                query = query.where(column == fold(value))
        query = query.order_by(col(at.occurred_at).desc(), col(at.id).desc()).limit(limit)
        with self._reading() as session:
            return tuple(reversed([event_of(row) for row in session.exec(query)]))
