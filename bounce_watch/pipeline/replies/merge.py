"""Several bounces, one answer: an answer waits a little, and what bounces for the same person joins it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bounce_watch.model import Letter
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.gate.check import check, refuse_at_once
from bounce_watch.notifications.gate.values import Candidate, Reason, Refused
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.outbox.enqueue import frozen, past_of, post
from bounce_watch.source.interface import Source
from bounce_watch.store import Transaction
from bounce_watch.store.outbox.pending_replies import PendingReply

MOST_BOUNCES = 50
"""Bounces that one letter names; a person reads no more."""


def post_reply(
    context: Context, tx: Transaction, candidate: Candidate, facts: Callable[[], ReplyFacts], report_id: int
) -> bool | None:
    """Post an answer that settles first, or let it join one that settles. None: it joined.

    Joining passes the same gate, except that it matters not whether the person was told: the letter that
    tells has not left. A copy of a report never comes here.
    """
    settling = _find(context, tx, candidate)
    if settling is not None and _may_join(context, tx, candidate):
        _join(context, tx, settling, facts())
        tx.outbox.withhold(candidate.to, candidate.cause, Reason.SAME_LETTER, context.clock(), report_id)
        return None

    def write() -> Letter:
        return context.composer.reply(facts())

    wait = timedelta(seconds=context.config.reply.settle_seconds)
    return post(context, tx, candidate, write, report_id=report_id, wait=wait)


def _find(context: Context, tx: Transaction, candidate: Candidate) -> PendingReply | None:
    seconds, now = context.config.reply.settle_seconds, context.clock()
    if not seconds or candidate.to is None or refuse_at_once(candidate, context.policy, now):
        return None
    return tx.pending_replies.find(candidate.to, now - timedelta(seconds=seconds), Reason.SAME_LETTER, now)


def _may_join(context: Context, tx: Transaction, candidate: Candidate) -> bool:
    now = context.clock()
    past = replace(
        past_of(tx, candidate, now), event_key_known=False, last_reply_at=None, replies_to_person_24h=0
    )
    return not isinstance(check(candidate, past, context.policy, now), Refused)


def _join(context: Context, tx: Transaction, settling: PendingReply, facts: ReplyFacts) -> None:
    if len(settling.bounces) >= MOST_BOUNCES:
        return
    bounces = (*settling.bounces, *facts.bounces)[:MOST_BOUNCES]
    joint = replace(facts, event_key=settling.event_key, bounces=bounces)
    if settling.mail_id is None or settling.mail_id != facts.mail_id:
        joint = replace(joint, mail_subject=None, mail_date=None, mail_id=None)
    letter = context.composer.reply(joint)
    content, _ = frozen(context, letter, context.clock())
    tx.pending_replies.replace(settling.number, letter, content)


def note_first_backlog(context: Context, source: Source) -> datetime | None:
    """Note at the first look at a mailbox that mail lies there which nobody asked us to answer.

    Return before when mail is such a backlog, None: none is.
    """
    if context.store.mailboxes.first_look_at(source.name) is not None:
        return context.store.state.backlog_until()
    waiting, until = source.count() or 0, context.clock().replace(microsecond=0)  # as INTERNALDATE (RFC 9051)
    with context.store.transaction() as tx:
        tx.mailboxes.note_first_look(source.name, until)
        if waiting > context.config.reply.hold_backlog_over:
            tx.state.note_backlog(until)
        return tx.state.backlog_until()
