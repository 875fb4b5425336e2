"""Questions about the outbox, and what the gate needs to know of it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.store import tables
from bounce_watch.store.database.columns import Instant, fold
from bounce_watch.store.database.errors import NotThere
from bounce_watch.store.database.session import Queries, read_columns
from bounce_watch.store.database.values import value_of
from bounce_watch.store.records import OutboxEntry, ReplyHistory

_OUTGOING = tables.Outgoing
_WITHOUT_BYTES = defer(_OUTGOING.raw)  # type: ignore[arg-type]
_NOT_ABANDONED = col(_OUTGOING.state) != OutboxState.ABANDONED


# Made once: to build a statement costs more than to ask it, and these are asked before each answer.
_EVENT = select(_OUTGOING.id).where(col(_OUTGOING.event_key) == bindparam("event"))


def _counted(*conditions: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(_OUTGOING).where(*conditions).scalar_subquery()


def _history() -> Any:
    """Return the question for all that the gate must know of what was written."""
    replies = (
        col(_OUTGOING.recipient_key) == bindparam("person"),
        col(_OUTGOING.kind) == LetterKind.REPLY,
        _NOT_ABANDONED,
    )
    # What a person released or retried is no sign of a storm: only what we let go by ourselves is pace.
    pace = (_NOT_ABANDONED, col(_OUTGOING.pending_since) == col(_OUTGOING.created_at))
    newest = select(func.max(_OUTGOING.created_at, type_=Instant())).where(
        *replies, col(_OUTGOING.cause) == bindparam("why")
    )
    return select(  # type: ignore[call-overload]
        newest.scalar_subquery(),
        _counted(*replies, col(_OUTGOING.created_at) > bindparam("day")),
        _counted(*pace, col(_OUTGOING.pending_since) > bindparam("minute")),
        _counted(*pace, col(_OUTGOING.pending_since) > bindparam("hour")),
        _counted(col(_OUTGOING.event_key) == bindparam("event")),
    )


_HISTORY = _history()


class OutboxQueries(Queries):
    """Questions about what we write."""

    def due(self, now: datetime, limit: int = 50) -> tuple[OutboxEntry, ...]:
        """Return the pending mails whose time has come, longest waiting first."""
        return self._waiting(OutboxState.PENDING, now, limit)

    def unknown_due(self, now: datetime, limit: int = 50) -> tuple[OutboxEntry, ...]:
        """Return the mails that may have been sent and whose grace is over: look, then `decide`."""
        return self._waiting(OutboxState.UNKNOWN, now, limit)

    def next_at(self, now: datetime) -> datetime | None:
        """Return when the next mail after `now` is due, to be sent or to be looked for; None for none."""
        waits = col(_OUTGOING.state).in_([OutboxState.PENDING, OutboxState.UNKNOWN])
        with self._reading() as session:
            return session.exec(
                select(func.min(_OUTGOING.next_at)).where(waits, col(_OUTGOING.next_at) > now)
            ).one()

    def list(self, states: Collection[OutboxState] = (), limit: int = 1_000) -> tuple[OutboxEntry, ...]:
        """Return mails of any of these states (of all states for none), newest first."""
        conditions = [col(_OUTGOING.state).in_(sorted(states))] if states else []
        with self._reading() as session:
            return entries(session, *conditions, limit=limit)

    def alerts_after(self, number: int, limit: int = 50) -> tuple[OutboxEntry, ...]:
        """Return the alerts that were written after a mail, oldest first."""
        query = select(_OUTGOING).where(col(_OUTGOING.id) > number, col(_OUTGOING.kind) == LetterKind.ALERT)
        with self._reading() as session:
            rows = session.exec(query.order_by(col(_OUTGOING.id)).limit(limit).options(_WITHOUT_BYTES))
            return tuple(value_of(OutboxEntry, row) for row in rows)

    def count_held(self) -> int:
        """Return how many mails are held until a person lets them go."""
        with self._reading() as session:
            return _count(session, col(_OUTGOING.state) == OutboxState.HELD)

    def newest(self) -> int:
        """Return the number of the newest mail, 0 for none."""
        with self._reading() as session:
            return session.exec(select(func.max(_OUTGOING.id))).one() or 0

    def show(self, number: int) -> tuple[OutboxEntry, bytes]:
        """Return one mail with its frozen bytes. Raises NotThere for no such number."""
        with self._reading() as session:
            row = session.get(_OUTGOING, number)
            if row is None:
                raise NotThere(
                    f"there is no mail {number} in the outbox", "`bounce-watch outbox list` shows them."
                )
            return value_of(OutboxEntry, row), row.raw

    def event_known(self, event_key: str) -> bool:
        """Tell whether a mail about this event was written before, in whatever state it is."""
        with self._reading() as session:
            return read_columns(session, _EVENT, {"event": event_key}).first() is not None

    def reply_history(
        self, recipient: str, cause: str, now: datetime, event_key: str | None = None
    ) -> ReplyHistory:
        """Return what was written to a person, and how fast we write to everybody.

        Abandoned mails do not count. Held ones count as answers to the person; the pace counts only
        what was let go.
        """
        asked = {
            "person": fold(recipient),
            "why": cause,
            "day": now - timedelta(days=1),
            "minute": now - timedelta(minutes=1),
            "hour": now - timedelta(hours=1),
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

    def _waiting(self, state: OutboxState, now: datetime, limit: int) -> tuple[OutboxEntry, ...]:
        query = select(_OUTGOING).where(col(_OUTGOING.state) == state, has_come(now))
        query = query.order_by(col(_OUTGOING.next_at), col(_OUTGOING.id)).limit(limit)
        with self._reading() as session:
            return tuple(value_of(OutboxEntry, row) for row in session.exec(query.options(_WITHOUT_BYTES)))


FARTHEST = timedelta(days=1)
"""No mail waits so long by itself: a later time was written by a clock that was wrong."""


def has_come(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a mail's time has come."""
    return (col(_OUTGOING.next_at) <= now) | (col(_OUTGOING.next_at) > now + FARTHEST)


def entries(
    session: Session, *conditions: ColumnElement[bool], limit: int = 1_000
) -> tuple[OutboxEntry, ...]:
    """Return the mails that meet the conditions, newest first; their bytes stay in the database."""
    query = select(_OUTGOING).where(*conditions).order_by(col(_OUTGOING.id).desc()).limit(limit)
    return tuple(value_of(OutboxEntry, row) for row in session.exec(query.options(_WITHOUT_BYTES)))


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.exec(select(func.count()).select_from(_OUTGOING).where(*conditions)).one()
