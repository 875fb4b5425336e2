"""Several bounces, one reply: a reply waits a while, and bounces for the same person are merged into it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bounce_watch.model import Letter
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.gate.check import check, refuse_at_once
from bounce_watch.notifications.gate.values import Candidate, Reason, Refused
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.outbox.enqueue import frozen, past_of, post
from bounce_watch.store import Transaction
from bounce_watch.store.outbox.pending_replies import PendingReply

MOST_BOUNCES = 50
"""Maximum number of bounces in one reply."""


def enqueue_or_merge(
    context: Context,
    tx: Transaction,
    candidate: Candidate,
    facts: Callable[[], ReplyFacts],
    report_id: int,
    *,
    is_first: bool = True,
) -> bool | None:
    """Put a reply before the gate, or merge it into one that is pending: then return None.

    What cannot be merged is withheld unless it `is_first`, the first reply that a message causes.
    Merging passes the same gate, except for what was written to the person before: the pending reply has
    not left. A copy of a report never comes here.
    """
    seconds = context.config.reply.settle_seconds
    pending = _find_pending(context, tx, candidate, timedelta(seconds=seconds)) if seconds else None
    if pending is not None and _may_merge(context, tx, candidate):
        _merge(context, tx, pending, facts())
        tx.outbox.withhold(candidate.to, candidate.cause, Reason.SAME_LETTER, context.clock(), report_id)
        return None
    if not is_first:
        tx.outbox.withhold(candidate.to, candidate.cause, Reason.SAME_MESSAGE, context.clock(), report_id)
        return False

    def write() -> Letter:
        return context.composer.reply(facts())

    return post(context, tx, candidate, write, report_id=report_id, wait=timedelta(seconds=seconds))


def _find_pending(
    context: Context, tx: Transaction, candidate: Candidate, wait: timedelta
) -> PendingReply | None:
    now = context.clock()
    if candidate.to is None or refuse_at_once(candidate, context.policy, now):
        return None
    return tx.pending_replies.find(candidate.to, now - wait, Reason.SAME_LETTER, now)


def _may_merge(context: Context, tx: Transaction, candidate: Candidate) -> bool:
    now = context.clock()
    past = replace(
        past_of(tx, candidate, now), event_key_known=False, last_reply_at=None, replies_to_person_24h=0
    )
    return not isinstance(check(candidate, past, context.policy, now), Refused)


def _merge(context: Context, tx: Transaction, pending: PendingReply, facts: ReplyFacts) -> None:
    if len(pending.bounces) >= MOST_BOUNCES:
        return
    bounces = (*pending.bounces, *facts.bounces)[:MOST_BOUNCES]
    joint = replace(facts, event_key=pending.event_key, bounces=bounces)
    if pending.mail_id is None or pending.mail_id != facts.mail_id:
        joint = replace(joint, mail_subject=None, mail_date=None, mail_id=None)
    letter = context.composer.reply(joint)
    content, _ = frozen(context, letter, context.clock())
    tx.pending_replies.replace(pending.number, letter, content)
