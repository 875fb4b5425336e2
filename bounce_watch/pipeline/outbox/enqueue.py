"""The only way into the outbox: every mail passes the gate and is frozen here."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bounce_watch.model import GUIDANCE, Letter, LetterKind, OutboxState
from bounce_watch.notifications.freeze import freeze, new_ids
from bounce_watch.notifications.gate.check import check, refuse_at_once
from bounce_watch.notifications.gate.values import Allowed, Candidate, Past, Policy, Reason, Refused
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.elapsed import is_ahead
from bounce_watch.store import StoreQueries, Transaction
from bounce_watch.store.outbox.queue import BREAKER

NO_WAIT = timedelta(0)
_READ_REPLIES = (LetterKind.REPLY, LetterKind.ALERT)
"""Kinds of messages to which a reply does something."""
_TOO_MANY = frozenset({Reason.BREAKER, Reason.RATE_LIMIT})


def post(
    context: Context,
    tx: Transaction,
    candidate: Candidate,
    write: Callable[[], Letter],
    *,
    report_id: int | None = None,
    incident: int | None = None,
    wait: timedelta = NO_WAIT,
) -> bool:
    """Ask the gate; then write, freeze and enqueue the mail. False: withheld, the reason is noted.

    `wait` is the time until the mail is due. A reply beyond the limit trips the breaker: it and those that
    follow are held until an admin clears it.
    """
    now = context.clock()
    verdict: Allowed | Refused | None = refuse_at_once(candidate, context.policy, now)
    waits = False
    if verdict is None:
        # Only now, because it asks the store what was written before.
        past = past_of(tx, candidate, now)
        verdict = check(candidate, past, context.policy, now)
        waits = _waits(tx, candidate, verdict, now)
        if waits:
            within = replace(past, breaker_latched=False, mails_last_minute=0, mails_last_hour=0)
            verdict = check(candidate, within, context.policy, now)
    if isinstance(verdict, Refused):
        tx.outbox.withhold(candidate.to, candidate.cause, verdict.reason, now, report_id)
        return False
    letter = write()
    content, bw_id = frozen(context, letter, now)
    return tx.outbox.enqueue(
        letter,
        content=content,
        bw_id=bw_id,
        state=OutboxState.HELD if verdict.hold or waits else OutboxState.PENDING,
        held_for=BREAKER if waits and not verdict.hold else None,
        now=now,
        cause=candidate.cause,
        report_id=report_id,
        incident=incident,
        wait=wait,
    )


def _waits(tx: Transaction, candidate: Candidate, verdict: Allowed | Refused, now: datetime) -> bool:
    """Tell whether guidance must wait because too much is due; the first that must trips the breaker."""
    if candidate.kind not in GUIDANCE or not isinstance(verdict, Refused) or verdict.reason not in _TOO_MANY:
        return False
    tx.state.latch_breaker(now)
    return True


def clear_breaker(tx: Transaction, policy: Policy, now: datetime) -> int | None:
    """Allow replies again and send those that waited; return how many, None if replies were not stopped.

    They leave one by one, so that the limits of a minute and of an hour hold.
    """
    if not tx.state.clear_breaker():
        return None
    pause = timedelta(seconds=max(60 / policy.per_minute, 3600 / policy.per_hour))
    return tx.outbox.release_waiting(now, pause)


def frozen(context: Context, letter: Letter, now: datetime) -> tuple[bytes, str]:
    """Return the bytes of a mail and its X-Bounce-Watch-ID, which depends only on its event."""
    bw_id, message_id = new_ids(context.secret, letter.event_key, context.sender[1].rpartition("@")[2])
    reply_to = context.config.reply_to if letter.kind in _READ_REPLIES else letter.reply_to
    ids = {"bw_id": bw_id, "message_id": message_id}
    return freeze(letter, sender=context.sender, **ids, date=now, reply_to=reply_to), bw_id


def past_of(known: StoreQueries, candidate: Candidate, now: datetime) -> Past:
    """Return what the gate must know of earlier mail."""
    history = known.outbox.reply_history(candidate.to or "", candidate.cause, now, candidate.event_key)
    backlog_until = known.state.backlog_until()
    return Past(
        event_key_known=history.event_known,
        last_reply_at=history.last_reply_at,
        replies_to_person_24h=history.replies_last_day,
        mails_last_minute=history.mails_last_minute,
        mails_last_hour=history.mails_last_hour,
        breaker_latched=known.state.breaker_latched_at() is not None,
        # A first poll under a clock that was ahead: its backlog is held already, and later mail is none.
        backlog_until=None if is_ahead(backlog_until, now) else backlog_until,
    )
