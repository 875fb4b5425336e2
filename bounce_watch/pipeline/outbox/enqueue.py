"""The only way into the outbox: every mail passes the gate and is frozen here."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bounce_watch.model import Letter, OutboxState
from bounce_watch.notifications.freeze import freeze, new_ids
from bounce_watch.notifications.gate.check import check, refuse_at_once
from bounce_watch.notifications.gate.values import Allowed, Candidate, Past, Reason, Refused
from bounce_watch.pipeline.context import Context
from bounce_watch.store import StoreQueries, Transaction

NO_WAIT = timedelta(0)


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

    `wait` is the time until the mail is due. A reply beyond the limit trips the breaker: from then on
    replies are withheld until an admin resets it.
    """
    now = context.clock()
    verdict: Allowed | Refused | None = refuse_at_once(candidate, context.policy, now)
    if verdict is None:
        # Only now, because it asks the store what was written before.
        verdict = check(candidate, past_of(tx, candidate, now), context.policy, now)
    if isinstance(verdict, Refused):
        if verdict.reason is Reason.RATE_LIMIT:
            tx.state.latch_breaker(now)
        tx.outbox.withhold(candidate.to, candidate.cause, verdict.reason, now, report_id)
        return False
    letter = write()
    content, bw_id = frozen(context, letter, now)
    return tx.outbox.enqueue(
        letter,
        content=content,
        bw_id=bw_id,
        state=OutboxState.HELD if verdict.hold else OutboxState.PENDING,
        now=now,
        cause=candidate.cause,
        report_id=report_id,
        incident=incident,
        wait=wait,
    )


def frozen(context: Context, letter: Letter, now: datetime) -> tuple[bytes, str]:
    """Return the bytes of a mail and its X-Bounce-Watch-ID, which depends only on its event."""
    bw_id, message_id = new_ids(context.secret, letter.event_key, context.sender[1].rpartition("@")[2])
    return freeze(letter, sender=context.sender, bw_id=bw_id, message_id=message_id, date=now), bw_id


def past_of(known: StoreQueries, candidate: Candidate, now: datetime) -> Past:
    """Return what the gate must know of earlier mail."""
    history = known.outbox.reply_history(candidate.to or "", candidate.cause, now, candidate.event_key)
    return Past(
        event_key_known=history.event_known,
        last_reply_at=history.last_reply_at,
        replies_to_person_24h=history.replies_last_day,
        mails_last_minute=history.mails_last_minute,
        mails_last_hour=history.mails_last_hour,
        breaker_latched=known.state.breaker_latched_at() is not None,
        backlog_until=known.state.backlog_until(),
    )
