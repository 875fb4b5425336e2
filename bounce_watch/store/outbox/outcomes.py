"""What becomes of a message after an attempt to send it."""

from datetime import datetime, timedelta

from bounce_watch.model import OutboxState
from bounce_watch.store import tables

BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30, 60))
"""Pauses after the first, second, ... attempt that certainly sent nothing; the last one repeats."""

GIVE_UP_AFTER = timedelta(hours=48)
"""Time in the outbox after which a message that cannot be sent has failed."""

LEAST_ATTEMPTS = 10
"""Minimum attempts before a message fails, because the clock may jump or the machine may sleep."""

GRACE = timedelta(minutes=10)
"""How long a server may take to answer the end of data (RFC 5321 section 4.5.3.2.6)."""


def record_outcome(row: tables.Outgoing, outcome: str, now: datetime) -> None:
    """Change a message after an attempt to send it; `outcome` is one of `finish`."""
    match outcome:
        case "sent":
            row.state, row.sent_at, row.next_at = OutboxState.SENT, now, None
        case "later":
            _retry_later(row, now)
        case "failed":
            row.state, row.next_at = OutboxState.FAILED, None
        case "stop":
            row.state, row.next_at, row.attempts = OutboxState.PENDING, now, row.attempts - 1
        case "unknown":
            row.state, row.next_at = OutboxState.UNKNOWN, now + GRACE
        case _:
            raise ValueError(f"{outcome!r} is no outcome of sending")


def _retry_later(row: tables.Outgoing, now: datetime) -> None:
    pause = BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
    is_old = now + pause - (row.pending_since or row.created_at) > GIVE_UP_AFTER
    if is_old and row.attempts >= LEAST_ATTEMPTS:
        row.state, row.next_at = OutboxState.FAILED, None
    else:
        row.state, row.next_at = OutboxState.PENDING, now + pause
