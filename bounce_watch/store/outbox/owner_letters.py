"""Bounces of addresses that no person reads: those that wait for a letter to the owner, and those without."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.store import tables
from bounce_watch.store.database.columns import Instant, fold
from bounce_watch.store.database.session import Queries
from bounce_watch.store.outbox.pending_replies import first_failed
from bounce_watch.store.outbox.queries import WITHOUT_BYTES

_WITHHELD, _OUTGOING = tables.Withheld, tables.Outgoing
_UNFINISHED = (OutboxState.PENDING, OutboxState.HELD, OutboxState.SENDING, OutboxState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Bounced messages of one sender with one cause. `newest` is the number of the last note about one."""

    sender: str
    cause: str
    count: int
    first_at: datetime
    newest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastLetter:
    """The newest letter to an owner. `at` is when it left, else when it was written."""

    event_key: str
    at: datetime
    is_unfinished: bool


class OwnerLetters(Queries):
    """Queries about notes (rows of `withheld`) on senders that no person reads."""

    def waiting(
        self, reason: str, since: datetime, *, senders: Collection[str] | None = None, after: int = 0
    ) -> tuple[Waiting, ...]:
        """Return what waits since then: of some senders (None: all), above a number; most frequent first."""
        count, newest = func.count(), func.max(_WITHHELD.id)
        first: Any = func.min(_WITHHELD.at, type_=Instant())
        columns: Any = (_WITHHELD.recipient_key, _WITHHELD.cause, count, first, newest)
        query: Any = select(*columns).where(
            col(_WITHHELD.reason) == reason, col(_WITHHELD.at) > since, col(_WITHHELD.id) > after
        )
        if senders is not None:
            query = query.where(col(_WITHHELD.recipient_key).in_(sorted(map(fold, senders))))
        query = query.group_by(_WITHHELD.recipient_key, _WITHHELD.cause).order_by(count.desc(), newest)
        with self._reading() as session:
            return tuple(
                Waiting(sender=sender, cause=cause, count=times, first_at=at, newest=number)
                for sender, cause, times, at, number in session.exec(query)
                if sender and cause
            )

    def bounces(self, group: Waiting, reason: str, after: int, limit: int) -> tuple[int, ...]:
        """Return one failed bounce of each of the newest reports of a group."""
        query = select(_WITHHELD.report_id).where(
            col(_WITHHELD.recipient_key) == group.sender,
            col(_WITHHELD.cause) == group.cause,
            col(_WITHHELD.reason) == reason,
            col(_WITHHELD.id).between(after + 1, group.newest),
        )
        with self._reading() as session:
            reports = session.exec(query.order_by(col(_WITHHELD.id).desc()).limit(limit)).all()
            return first_failed(session, [number for number in reports if number is not None])

    def last_to(self, address: str) -> LastLetter | None:
        """Return the newest letter to an owner, None for none."""
        query = (
            select(_OUTGOING)
            .where(col(_OUTGOING.recipient_key) == fold(address), col(_OUTGOING.kind) == LetterKind.OWNER)
            .order_by(col(_OUTGOING.id).desc())
        )
        with self._reading() as session:
            row = session.exec(query.limit(1).options(WITHOUT_BYTES)).first()
        if row is None:
            return None
        return LastLetter(
            event_key=row.event_key, at=row.sent_at or row.created_at, is_unfinished=row.state in _UNFINISHED
        )

    def without_owner(
        self, reasons: Sequence[str], since: datetime, limit: int
    ) -> tuple[tuple[str, int, datetime], ...]:
        """Return senders whose bounces reached no reader since then: address, count, newest; most first."""
        newest: Any = func.max(_WITHHELD.at, type_=Instant())
        query: Any = (
            select(_WITHHELD.recipient_key, func.count(), newest)
            .where(col(_WITHHELD.reason).in_(reasons), col(_WITHHELD.at) >= since)
            .where(col(_WITHHELD.recipient_key).is_not(None))
            .group_by(_WITHHELD.recipient_key)
            .order_by(func.count().desc(), col(_WITHHELD.recipient_key))
        )
        with self._reading() as session:
            return tuple(tuple(row) for row in session.exec(query.limit(limit)))
