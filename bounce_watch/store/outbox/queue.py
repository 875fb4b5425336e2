"""The outbox: one message per event, sent once.

pending -> sending -> sent | pending (backoff) | failed | unknown; held -> pending by an admin.
The lease is committed before the first byte is sent. If a process dies while sending, the delivery is
uncertain: the message becomes `unknown` and is not sent again without a look into Sent Items.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, insert
from sqlmodel import col, select

from bounce_watch.model import Letter, OutboxState
from bounce_watch.store import tables
from bounce_watch.store.database.columns import fold
from bounce_watch.store.database.errors import NotThere
from bounce_watch.store.database.session import Repository
from bounce_watch.store.database.values import value_of
from bounce_watch.store.outbox.outcomes import GRACE, record_outcome
from bounce_watch.store.outbox.queries import OutboxQueries, is_due
from bounce_watch.store.records import OutboxEntry, OutgoingMail
from bounce_watch.store.state import State

_OUTGOING = tables.Outgoing
_NEW, _REFUSED = insert(_OUTGOING), insert(tables.Withheld)

BREAKER = "breaker"
"""What a reply is held for that was due when too many were."""


class Outbox(OutboxQueries, Repository):
    def enqueue(
        self,
        letter: Letter,
        *,
        content: bytes,
        bw_id: str,
        state: OutboxState,
        now: datetime,
        cause: str | None = None,
        report_id: int | None = None,
        incident: int | None = None,
        wait: timedelta = timedelta(0),
        held_for: str | None = None,
    ) -> bool:
        """Add a message to the outbox, `pending` or `held`; return False when its event has one already.

        `content` is frozen from now on. `bw_id` is the value of its X-Bounce-Watch-ID header. `wait` is the
        time until it is due.
        """
        if self.event_known(letter.event_key):
            return False
        pending = state is OutboxState.PENDING
        row = {
            "kind": letter.kind,
            "event_key": letter.event_key,
            "bw_id": bw_id,
            "recipient": letter.to,
            "recipient_key": fold(letter.to),
            "subject": letter.subject,
            "preview": letter.text,
            "raw": content,
            "language": letter.language,
            "cause": cause,
            "report_id": report_id,
            "incident": incident,
            "state": state,
            "held_for": held_for,
            "attempts": 0,
            "created_at": now,
            "pending_since": now if pending else None,
            "next_at": now + wait if pending else None,
        }
        self._rows.connection().execute(_NEW, row)
        return True

    def withhold(
        self,
        recipient: str | None,
        cause: str | None,
        reason: str,
        now: datetime,
        report_id: int | None = None,
    ) -> None:
        """Record that the gate did not allow a message, and why."""
        key = None if recipient is None else fold(recipient)
        row = {"at": now, "recipient": recipient, "recipient_key": key, "cause": cause, "reason": reason}
        self._rows.connection().execute(_REFUSED, {**row, "report_id": report_id})

    def claim(
        self, number: int, owner: str, now: datetime, lease_seconds: float = 600
    ) -> OutgoingMail | None:
        """Lease a pending message and return it.

        None when it is not pending, not yet due, or being leased by another process.
        """
        query = select(_OUTGOING).where(
            col(_OUTGOING.id) == number, _in_state(OutboxState.PENDING), is_due(now)
        )
        row = self._rows.exec(query.with_for_update(skip_locked=True)).one_or_none()
        if row is None:
            self._require(number)
            return None
        row.state, row.attempts, row.server_reply = OutboxState.SENDING, row.attempts + 1, None
        row.lease_owner, row.lease_until = owner, now + timedelta(seconds=lease_seconds)
        return value_of(OutgoingMail, row, content=row.raw)

    def finish(self, number: int, outcome: str, reply: str, now: datetime) -> OutboxState:
        """Record the outcome of a claimed message and return its new state.

        `outcome` is sent, later, failed, stop or unknown. `later` is retried and fails after 48 hours.
        `stop` does not count as an attempt, because the configuration is the cause. A message that is
        not `sending` any more keeps its state, unless the outcome is sent.
        """
        row = self._outgoing(number)
        if row.state != OutboxState.SENDING and outcome != "sent":
            return OutboxState(row.state)
        row.server_reply, row.lease_owner, row.lease_until = reply, None, None
        record_outcome(row, outcome, now)
        if outcome == "stop":
            State(self._rows).note_stop(reply, now)
        elif outcome == "sent":
            State(self._rows).clear_stop()
        return OutboxState(row.state)

    def recover(
        self, now: datetime, at_work: Callable[[], Collection[str]] = tuple
    ) -> tuple[OutboxEntry, ...]:
        """Mark every message that a dead process was sending as `unknown` and return them.

        `at_work` returns the running owners, which keep their messages until the lease ends. It is called
        after the messages are read: then it knows every process that leased one of them.
        """
        query = select(_OUTGOING).where(_in_state(OutboxState.SENDING)).with_for_update(skip_locked=True)
        found = self._rows.exec(query).all()
        alive = at_work() if found else ()
        rows = [row for row in found if row.lease_owner not in alive or (row.lease_until or now) < now]
        for row in rows:
            record_outcome(row, "unknown", now)
            row.server_reply = "the process ended while this mail was being sent"
            row.lease_owner, row.lease_until = None, None
        return tuple(value_of(OutboxEntry, row) for row in rows)

    def decide(self, number: int, state: OutboxState, now: datetime, why: str = "") -> None:
        """Set an `unknown` message to sent, pending or abandoned, by what Sent Items shows."""
        row = self._outgoing(number)
        if row.state != OutboxState.UNKNOWN:
            raise NotThere(f"outbox row {number} is {row.state}, not unknown")
        row.server_reply = why or row.server_reply
        self._move(row, state, now)

    def look_later(self, number: int, now: datetime) -> None:
        """Keep an `unknown` message for one more grace time, because Sent Items could not be read."""
        row = self._outgoing(number)
        if row.state == OutboxState.UNKNOWN:
            row.next_at = now + GRACE

    def release(self, numbers: Collection[int] | None, now: datetime) -> int:
        """Release held messages, all of them for None; return how many."""
        return self._move_all(numbers, {OutboxState.HELD}, OutboxState.PENDING, now)

    def hurry(self, numbers: Collection[int], now: datetime) -> None:
        """Make pending messages due that wait for another attempt."""
        query = select(_OUTGOING).where(
            col(_OUTGOING.id).in_(sorted(numbers)), _in_state(OutboxState.PENDING)
        )
        for row in self._rows.exec(query.with_for_update()):
            row.next_at = now

    def release_waiting(self, now: datetime, pause: timedelta) -> int:
        """Release what the breaker held, oldest first, each `pause` after the other; return how many."""
        query = select(_OUTGOING).where(_in_state(OutboxState.HELD), col(_OUTGOING.held_for) == BREAKER)
        rows = self._rows.exec(query.order_by(col(_OUTGOING.id)).with_for_update()).all()
        for place, row in enumerate(rows):
            self._move(row, OutboxState.PENDING, now)
            row.next_at = now + place * pause
        return len(rows)

    def abandon(self, numbers: Collection[int], now: datetime) -> int:
        """Cancel messages that are waiting, failed or unknown; return how many."""
        cancelable = {OutboxState.PENDING, OutboxState.HELD, OutboxState.FAILED, OutboxState.UNKNOWN}
        return self._move_all(numbers, cancelable, OutboxState.ABANDONED, now)

    def retry(self, numbers: Collection[int] | None, now: datetime) -> int:
        """Send failed, abandoned or unknown messages again, all failed ones for None; return how many."""
        again = {OutboxState.FAILED}
        if numbers is not None:
            again |= {OutboxState.ABANDONED, OutboxState.UNKNOWN}
        return self._move_all(numbers, again, OutboxState.PENDING, now)

    def _move_all(
        self, numbers: Collection[int] | None, known: set[OutboxState], state: OutboxState, now: datetime
    ) -> int:
        query = select(tables.Outgoing).where(col(tables.Outgoing.state).in_(sorted(known)))
        if numbers is not None:
            query = query.where(col(tables.Outgoing.id).in_(sorted(numbers)))
        if state is OutboxState.PENDING:
            query = query.where(func.length(tables.Outgoing.raw) > 0)  # empty when its person was erased
        rows = self._rows.exec(query.with_for_update()).all()
        for row in rows:
            self._move(row, state, now)
        return len(rows)

    def _move(self, row: tables.Outgoing, state: OutboxState, now: datetime) -> None:
        row.state, row.next_at, row.held_for = state, None, None
        if state is OutboxState.PENDING:
            row.pending_since, row.next_at, row.attempts = now, now, 0
        if state is OutboxState.SENT:
            row.sent_at = now

    def _outgoing(self, number: int) -> tables.Outgoing:
        row = self._rows.get(_OUTGOING, number, with_for_update=True)
        if row is None:
            raise _no_mail(number)
        return row

    def _require(self, number: int) -> None:
        if self._rows.exec(select(_OUTGOING.id).where(col(_OUTGOING.id) == number)).first() is None:
            raise _no_mail(number)


def _no_mail(number: int) -> NotThere:
    return NotThere(f"there is no mail {number} in the outbox", "`bounce-watch outbox list` shows them.")


def _in_state(*states: OutboxState) -> ColumnElement[bool]:
    return col(tables.Outgoing.state).in_(sorted(states))
