"""Queries about the outbox, and the reply history that the gate needs."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from bounce_watch.model import CLOSED, GUIDANCE, LetterKind, OutboxState, Owner, Severity
from bounce_watch.store import tables
from bounce_watch.store.database.columns import Instant, fold
from bounce_watch.store.database.errors import NotThere
from bounce_watch.store.database.session import Queries, read_columns
from bounce_watch.store.database.values import value_of
from bounce_watch.store.records import OutboxEntry, ReplyHistory

_OUTGOING = tables.Outgoing
WITHOUT_BYTES = defer(_OUTGOING.raw)  # type: ignore[arg-type]
_BETWEEN = tuple(kind for kind in LetterKind if kind is not LetterKind.ALERT and kind not in GUIDANCE)
_NOT_ABANDONED = col(_OUTGOING.state) != OutboxState.ABANDONED


# Built once: building a statement takes longer than running it, and these run before each reply.
_EVENT = select(_OUTGOING.id).where(col(_OUTGOING.event_key) == bindparam("event"))


def _counted(*conditions: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(_OUTGOING).where(*conditions).scalar_subquery()


def _history() -> Any:
    """Return the query for a ReplyHistory. What a wrong clock dated far ahead does not count."""
    is_dated = col(_OUTGOING.created_at) <= bindparam("far")
    replies = (
        is_dated,
        col(_OUTGOING.recipient_key) == bindparam("person"),
        col(_OUTGOING.kind) == LetterKind.REPLY,
        _NOT_ABANDONED,
    )
    # Manual releases and retries do not trip the breaker: only automatic sending counts for the rate.
    automatic = (is_dated, _NOT_ABANDONED, col(_OUTGOING.pending_since) == col(_OUTGOING.created_at))
    newest = select(func.max(_OUTGOING.created_at, type_=Instant())).where(
        *replies, col(_OUTGOING.cause) == bindparam("why")
    )
    return select(  # type: ignore[call-overload]
        newest.scalar_subquery(),
        _counted(*replies, col(_OUTGOING.created_at) > bindparam("day")),
        _counted(*automatic, col(_OUTGOING.pending_since) > bindparam("minute")),
        _counted(*automatic, col(_OUTGOING.pending_since) > bindparam("hour")),
        _counted(col(_OUTGOING.event_key) == bindparam("event")),
    )


_HISTORY = _history()


class OutboxQueries(Queries):
    def due(self, now: datetime, limit: int = 50) -> tuple[OutboxEntry, ...]:
        """Return the pending messages that are due: alerts first, severe ones before others, replies last."""
        found = self._alerts(is_due(now))
        for kinds in (_BETWEEN, GUIDANCE):
            if len(found) < limit:
                found += self._waiting(OutboxState.PENDING, now, limit, kinds)
        return found[:limit]

    def security_alerts(self, since: datetime) -> tuple[OutboxEntry, ...]:
        """Return the alerts written since then, due or not, that replies must not overtake."""
        incident = tables.Incident
        urgent = (col(incident.owner) == Owner.SECURITY) | (col(incident.severity) == Severity.CRITICAL)
        return self._alerts(urgent, col(_OUTGOING.created_at) > since)

    def unknown_due(self, now: datetime, limit: int = 50) -> tuple[OutboxEntry, ...]:
        """Return the `unknown` messages whose grace time is over: look for them, then call `decide`."""
        return self._waiting(OutboxState.UNKNOWN, now, limit)

    def next_at(self, now: datetime) -> datetime | None:
        """Return when the next message after `now` is due to be sent or looked for; None for none."""
        waits = col(_OUTGOING.state).in_([OutboxState.PENDING, OutboxState.UNKNOWN])
        with self._reading() as session:
            return session.exec(
                select(func.min(_OUTGOING.next_at)).where(waits, col(_OUTGOING.next_at) > now)
            ).one()

    def list(self, states: Collection[OutboxState] = (), limit: int = 1_000) -> tuple[OutboxEntry, ...]:
        """Return the messages in any of these states (in all states for none), newest first."""
        conditions = [col(_OUTGOING.state).in_(sorted(states))] if states else []
        with self._reading() as session:
            return entries(session, *conditions, limit=limit)

    def count_alerts(self, since: datetime) -> dict[tuple[str, str], int]:
        """Return how many alerts about open incidents were written since, by address and severity."""
        incident = tables.Incident
        query = (
            select(_OUTGOING.recipient_key, incident.severity, func.count())
            .join(incident, col(incident.number) == col(_OUTGOING.incident))
            .where(col(_OUTGOING.kind) == LetterKind.ALERT)
            .where(col(_OUTGOING.created_at) > since, col(_OUTGOING.created_at) <= since + FARTHEST)
            .where(col(incident.state).not_in(CLOSED), _NOT_ABANDONED)
            .group_by(col(_OUTGOING.recipient_key), col(incident.severity))
        )
        with self._reading() as session:
            return {(to, severity): count for to, severity, count in session.exec(query)}

    def alerts_after(self, number: int, limit: int = 50) -> tuple[OutboxEntry, ...]:
        """Return the alerts with numbers above `number`, oldest first."""
        query = select(_OUTGOING).where(col(_OUTGOING.id) > number, col(_OUTGOING.kind) == LetterKind.ALERT)
        with self._reading() as session:
            rows = session.exec(query.order_by(col(_OUTGOING.id)).limit(limit).options(WITHOUT_BYTES))
            return tuple(value_of(OutboxEntry, row) for row in rows)

    def count_held(self) -> int:
        with self._reading() as session:
            return _count(session, col(_OUTGOING.state) == OutboxState.HELD)

    def count_waiting(self) -> int:
        """Return how many replies wait until the breaker is cleared."""
        is_held = col(_OUTGOING.state) == OutboxState.HELD
        with self._reading() as session:
            return _count(session, is_held, col(_OUTGOING.held_for).is_not(None))

    def newest(self) -> int:
        with self._reading() as session:
            return session.exec(select(func.max(_OUTGOING.id))).one() or 0

    def show(self, number: int) -> tuple[OutboxEntry, bytes]:
        """Return one message with its frozen bytes. Raises NotThere for an unknown number."""
        with self._reading() as session:
            row = session.get(_OUTGOING, number)
            if row is None:
                raise NotThere(
                    f"there is no mail {number} in the outbox", "`bounce-watch outbox list` shows them."
                )
            return value_of(OutboxEntry, row), row.raw

    def event_known(self, event_key: str) -> bool:
        """Return whether a message about this event exists, in any state."""
        with self._reading() as session:
            return read_columns(session, _EVENT, {"event": event_key}).first() is not None

    def reply_history(
        self, recipient: str, cause: str, now: datetime, event_key: str | None = None
    ) -> ReplyHistory:
        """Return what was written to a person, and the rate of sending to all people.

        Abandoned messages do not count. Held ones count as replies to the person, but not for the rate.
        """
        asked = {
            "person": fold(recipient),
            "why": cause,
            "day": now - timedelta(days=1),
            "minute": now - timedelta(minutes=1),
            "hour": now - timedelta(hours=1),
            "far": now + FARTHEST,
            "event": event_key,
        }
        with self._reading() as session:
            last, in_a_day, in_a_minute, in_an_hour, known = read_columns(session, _HISTORY, asked).one()
        return ReplyHistory(
            last_reply_at=last,
            replies_last_day=in_a_day,
            mails_last_minute=in_a_minute,
            mails_last_hour=in_an_hour,
            event_known=known > 0,
        )

    def _alerts(self, *conditions: ColumnElement[bool]) -> tuple[OutboxEntry, ...]:
        """Return pending alerts, those about severe incidents first; few, because their number is limited."""
        incident = tables.Incident
        query = select(_OUTGOING, incident.severity).outerjoin(
            incident, col(incident.number) == col(_OUTGOING.incident)
        )
        query = query.where(
            col(_OUTGOING.state) == OutboxState.PENDING, col(_OUTGOING.kind) == LetterKind.ALERT, *conditions
        )
        with self._reading() as session:
            rows = session.exec(query.options(WITHOUT_BYTES)).all()
            ranked = sorted(rows, key=lambda row: (Severity(row[1]).rank if row[1] else 0, row[0].id))
            return tuple(value_of(OutboxEntry, mail) for mail, _ in ranked)

    def _waiting(
        self, state: OutboxState, now: datetime, limit: int, kinds: Collection[LetterKind] = tuple(LetterKind)
    ) -> tuple[OutboxEntry, ...]:
        query = select(_OUTGOING).where(col(_OUTGOING.state) == state, is_due(now))
        if len(kinds) < len(LetterKind):
            query = query.where(col(_OUTGOING.kind).in_(kinds))
        query = query.order_by(col(_OUTGOING.next_at), col(_OUTGOING.id)).limit(limit)
        with self._reading() as session:
            return tuple(value_of(OutboxEntry, row) for row in session.exec(query.options(WITHOUT_BYTES)))


FARTHEST = timedelta(days=1)
"""Maximum time that a message waits automatically: a later due time was set by a wrong clock."""


def is_due(now: datetime) -> ColumnElement[bool]:
    return (col(_OUTGOING.next_at) <= now) | (col(_OUTGOING.next_at) > now + FARTHEST)


def entries(
    session: Session, *conditions: ColumnElement[bool], limit: int = 1_000
) -> tuple[OutboxEntry, ...]:
    """Return the messages that meet the conditions, newest first, without loading their bytes."""
    query = select(_OUTGOING).where(*conditions).order_by(col(_OUTGOING.id).desc()).limit(limit)
    return tuple(value_of(OutboxEntry, row) for row in session.exec(query.options(WITHOUT_BYTES)))


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.exec(select(func.count()).select_from(_OUTGOING).where(*conditions)).one()
