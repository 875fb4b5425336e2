"""Messages that could not be read, kept with their bytes until an admin requeues them."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from bounce_watch.model import Kind
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.store import tables
from bounce_watch.store.database.errors import NotThere
from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.database.values import value_of
from bounce_watch.store.messages.messages import find_message
from bounce_watch.store.records import QuarantineEntry
from bounce_watch.store.vocabulary import MessageState, QuarantineState

_QUARANTINED = tables.Quarantined
_WITHOUT_BYTES = defer(_QUARANTINED.raw)  # type: ignore[arg-type]


class QuarantineQueries(Queries):
    def list(
        self, state: QuarantineState | None = QuarantineState.QUARANTINED, limit: int = 1_000
    ) -> tuple[QuarantineEntry, ...]:
        """Return the messages in this state (in any for None), newest first."""
        query = select(_QUARANTINED, tables.Message, func.length(_QUARANTINED.raw)).options(_WITHOUT_BYTES)
        query = query.join(tables.Message, col(tables.Message.id) == col(_QUARANTINED.message_id))
        query = query.order_by(col(_QUARANTINED.id).desc()).limit(limit)
        if state is not None:
            query = query.where(col(_QUARANTINED.state) == state)
        with self._reading() as session:
            return tuple(_entry(*row) for row in session.exec(query))

    def show(self, number: int) -> tuple[QuarantineEntry, bytes]:
        """Return one message with its bytes. Raises NotThere for an unknown number."""
        with self._reading() as session:
            row, message = _find(session, number)
            return _entry(row, message, len(row.raw)), row.raw


class Quarantine(QuarantineQueries, Repository):
    def add(
        self,
        *,
        mailbox: str,
        validity: int,
        uid: str,
        sha256: str,
        raw: bytes,
        reason: str,
        received_at: datetime | None,
        now: datetime,
    ) -> int:
        """Store the bytes of an unreadable message and return the number of its quarantine row."""
        message = find_message(self._rows, mailbox, validity, uid)
        if message is None:
            message = tables.Message(
                mailbox=mailbox, validity=validity, uid=uid, seen_at=now, state=MessageState.SEEN
            )
        message.sha256, message.size, message.received_at = sha256, len(raw), received_at
        message.kind, message.reason, message.state = Kind.UNREADABLE, reason, MessageState.QUARANTINED
        self._rows.add(message)
        self._rows.flush()
        row = _QUARANTINED(
            message_id=message.id,
            at=now,
            sha256=sha256,
            raw=raw,
            reason=reason,
            attempts=message.attempts,
            state=QuarantineState.QUARANTINED,
        )
        self._rows.add(row)
        self._rows.flush()
        return row.id

    def requeue(self, number: int) -> tuple[QuarantineEntry, bytes]:
        """Return the bytes to be read again, and reset the failures of the message.

        Raises NotThere for an unknown number, and for one that was requeued before.
        """
        row, message = _find(self._rows, number)
        # An older version could die after this step, with the message in neither state.
        if row.state != QuarantineState.QUARANTINED and message.state != MessageState.SEEN:
            raise NotThere(f"quarantine {number} was requeued already")
        row.state = QuarantineState.REQUEUED
        message.state, message.attempts, message.reason = MessageState.SEEN, 0, None
        self._rows.flush()  # the message is stored again in the same transaction, without the ORM
        return _entry(row, message, len(row.raw)), row.raw


def _find(session: Session, number: int) -> tuple[tables.Quarantined, tables.Message]:
    row = session.get(_QUARANTINED, number)
    if row is None:
        raise NotThere(
            f"there is no quarantined message {number}", "`bounce-watch quarantine list` shows them."
        )
    return row, session.get_one(tables.Message, row.message_id)


def _entry(row: tables.Quarantined, message: tables.Message, size: int) -> QuarantineEntry:
    location = MessageLocation(mailbox=message.mailbox, validity=message.validity, uid=message.uid)
    return value_of(QuarantineEntry, row, size=size, **asdict(location), received_at=message.received_at)
