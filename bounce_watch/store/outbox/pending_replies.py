"""Pending replies: written but not yet due, so that more bounces can be added to them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from bounce_watch.model import Action, Letter, LetterKind, OutboxState
from bounce_watch.store import tables
from bounce_watch.store.database.columns import fold
from bounce_watch.store.database.session import Repository

_OUTGOING = tables.Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingReply:
    """A reply that was not sent yet. `bounces` numbers one failed bounce for each report in it."""

    number: int
    event_key: str
    bounces: tuple[int, ...]


class PendingReplies(Repository):
    """Finding and changing replies before they are due."""

    def find(
        self, recipient: str, written_after: datetime, joined_for: str, now: datetime
    ) -> PendingReply | None:
        """Return the reply to a person that was never tried to be sent, None when there is none.

        It is pending and not due, or held and written after `written_after`. `joined_for` is the reason
        recorded in `withheld` for reports that were added to it; their bounces are included.
        """
        waits = (
            (col(_OUTGOING.state) == OutboxState.PENDING)
            & (col(_OUTGOING.attempts) == 0)
            & (col(_OUTGOING.next_at) > now)
        )
        is_held = (col(_OUTGOING.state) == OutboxState.HELD) & (col(_OUTGOING.created_at) > written_after)
        query = select(_OUTGOING).where(
            col(_OUTGOING.recipient_key) == fold(recipient),
            col(_OUTGOING.kind) == LetterKind.REPLY,
            or_(waits, is_held),
        )
        row = self._rows.exec(query.order_by(col(_OUTGOING.id).desc()).with_for_update()).first()
        if row is None or row.report_id is None:
            return None
        reports = [row.report_id, *_joined(self._rows, row, joined_for)]
        return PendingReply(number=row.id, event_key=row.event_key, bounces=first_failed(self._rows, reports))

    def send_now(self, now: datetime) -> None:
        """Make replies due that wait for more bounces; others keep their time."""
        is_waiting = (
            col(_OUTGOING.state) == OutboxState.PENDING,
            col(_OUTGOING.kind) == LetterKind.REPLY,
            col(_OUTGOING.attempts) == 0,
            col(_OUTGOING.next_at) > now,
            col(_OUTGOING.pending_since) == col(_OUTGOING.created_at),
        )
        for row in self._rows.exec(select(_OUTGOING).where(*is_waiting).with_for_update()):
            row.next_at = now

    def replace(self, number: int, letter: Letter, content: bytes) -> None:
        """Replace the content of a reply that was never tried to be sent; its event and ids stay."""
        row = self._rows.get_one(_OUTGOING, number, with_for_update=True)
        if row.attempts or row.state not in (OutboxState.PENDING, OutboxState.HELD):
            raise ValueError(f"outbox row {number} may have left: its bytes are frozen")
        row.subject, row.preview, row.raw = letter.subject, letter.text, content
        row.language = letter.language


def _joined(session: Session, row: tables.Outgoing, reason: str) -> list[int]:
    withheld = tables.Withheld
    query = select(withheld.report_id).where(
        col(withheld.recipient_key) == row.recipient_key,
        col(withheld.reason) == reason,
        col(withheld.at) >= row.created_at,
    )
    return [number for number in session.exec(query.order_by(col(withheld.id))) if number is not None]


def first_failed(session: Session, reports: Collection[int]) -> tuple[int, ...]:
    """Return the number of one failed bounce of each report."""
    bounce = tables.Bounce
    query = select(func.min(bounce.id)).group_by(col(bounce.report_id))
    query = query.where(col(bounce.report_id).in_(reports), col(bounce.action) == Action.FAILED)
    return tuple(sorted(session.exec(query)))
