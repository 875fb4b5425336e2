"""Messages: their bytes become rows, findings and letters in one transaction. The move comes after."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bounce_watch.model import Event, JudgedReport, Kind, Unreadable
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.incidents.rules import detect, foresee
from bounce_watch.pipeline.ingest.rows import Stored, store
from bounce_watch.pipeline.replies.reply import answer
from bounce_watch.pipeline.windows import Foreseen
from bounce_watch.sandbox.outcome import Outcome, Overrun
from bounce_watch.source.interface import Message
from bounce_watch.store import MessageState, StoredBounces, Transaction
from bounce_watch.testing import crash_points

FAILURES_BEFORE_QUARANTINE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What one message brought.

    `state` says what is to become of it: stored (to be filed), quarantined, left.
    `kind` is that of its first report, else of what it is instead.
    """

    state: MessageState
    kind: Kind
    bounces: int = 0
    duplicates: int = 0
    opened: tuple[int, ...] = ()
    letters: int = 0
    withheld: int = 0
    reason: str | None = None


def take_in(
    context: Context, message: Message, *, historical: bool = False, outcome: Outcome | None = None
) -> Intake:
    """Read one message and commit everything that follows from it.

    `historical` stores and counts, but writes to nobody. `outcome` is what the message was read as, None to
    read it now. Raises StoreError and ReaderUnavailable; nothing is stored then.
    """
    (intake,) = take_in_together(context, [(message, outcome)], historical=historical)
    return intake


def take_in_together(
    context: Context, messages: Sequence[tuple[Message, Outcome | None]], *, historical: bool = False
) -> list[Intake]:
    """Do the same for several messages in one transaction: all of them, or none when it raises."""
    read = [
        (message, _checked(context, context.reader.read(message.raw) if known is None else known))
        for message, known in messages
    ]
    now, taken = context.clock(), []
    with context.store.transaction() as tx, tx.writing_together():
        rows = store(context, tx, read, now)
        foreseen = foresee(context, tx, [event for events in map(_events, rows) for event in events])
        for (message, outcome), stored in zip(read, rows, strict=True):
            if stored is None:
                taken.append(_set_aside(tx, message, outcome, now))
            else:
                taken.append(_follow(context, tx, stored, foreseen, historical=historical))
            crash_points.point("receive.stored")
    return taken


def _events(stored: Stored | None) -> list[Event]:
    """Return all that failed in a message."""
    return [event for _, bounces in (stored.reports if stored else ()) for event in bounces.events]


def _checked(context: Context, outcome: Outcome) -> Outcome:
    """Look at our signatures before the transaction: the key may take its time to come."""
    if context.signatures is None or isinstance(outcome, Overrun):
        return outcome
    return tuple(map(context.signatures.checked, outcome))


def note_failure(context: Context, message: Message, reason: str) -> Intake:
    """Count a failure that these bytes bring about; quarantine them at the third time."""
    with context.store.transaction() as tx:
        return _count_failure(tx, message, reason, context.clock())


def _set_aside(tx: Transaction, message: Message, outcome: Outcome, now: datetime) -> Intake:
    """Count what could not be read in time, and quarantine what cannot be read at all."""
    if isinstance(outcome, Overrun):
        return _count_failure(tx, message, outcome.reason, now)
    match outcome[0]:
        case Unreadable(reason=reason):
            return _quarantine(tx, message, reason, now)
        case _:
            raise AssertionError("a message without a row overran a limit or is unreadable")


def _follow(
    context: Context, tx: Transaction, stored: Stored, foreseen: Mapping[str, Foreseen], *, historical: bool
) -> Intake:
    """Do what follows from a message whose rows are there."""
    parts = [
        _judge(context, tx, report, bounces, foreseen, historical=historical)
        for report, bounces in stored.reports
    ]
    return Intake(
        state=stored.state,
        kind=stored.kind,
        bounces=sum(part.bounces for part in parts),
        duplicates=stored.duplicates,
        opened=tuple(number for part in parts for number in part.opened),
        letters=sum(part.letters for part in parts),
        withheld=sum(part.withheld for part in parts),
        reason=stored.reason,
    )


def _count_failure(tx: Transaction, message: Message, reason: str, now: datetime) -> Intake:
    place = message.location
    attempts = tx.note_failure(
        mailbox=place.mailbox, validity=place.validity, uid=place.uid, reason=reason, now=now
    )
    if attempts >= FAILURES_BEFORE_QUARANTINE:
        return _quarantine(tx, message, reason, now)
    return Intake(state=MessageState.SEEN, kind=Kind.UNREADABLE, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one report brought."""

    bounces: int = 0
    opened: tuple[int, ...] = ()
    letters: int = 0
    withheld: int = 0


def _judge(
    context: Context,
    tx: Transaction,
    judged: JudgedReport,
    bounces: StoredBounces,
    foreseen: Mapping[str, Foreseen],
    *,
    historical: bool,
) -> _Part:
    """Let rules and answers look at one report, as if the messages behind it had not come yet."""
    if bounces.newest is None:
        return _Part()
    with tx.as_of(bounces.newest):
        opened = detect(context, tx, bounces.events, historical=historical, foreseen=foreseen)
        answered = None if historical else answer(context, tx, judged)
    return _Part(
        bounces=len(judged.failed),
        opened=opened,
        letters=int(answered is True),
        withheld=int(answered is False),
    )


def _quarantine(tx: Transaction, message: Message, reason: str, now: datetime) -> Intake:
    place = message.location
    tx.quarantine(
        mailbox=place.mailbox,
        validity=place.validity,
        uid=place.uid,
        sha256=hashlib.sha256(message.raw).hexdigest(),
        raw=message.raw,
        reason=reason,
        received_at=message.received_at,
        now=now,
    )
    return Intake(state=MessageState.QUARANTINED, kind=Kind.UNREADABLE, reason=reason)
