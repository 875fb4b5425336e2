"""Several bounces, one reply: a reply waits a while, and bounces for the same person are merged into it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

from bounce_watch.model import Letter
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.gate.check import check, refuse_at_once
from bounce_watch.notifications.gate.values import Candidate, Reason, Refused
from bounce_watch.notifications.guidance.letter import leading
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.outbox.enqueue import frozen, past_of, post
from bounce_watch.store import Transaction
from bounce_watch.store.outbox.pending_replies import PendingReply

MOST_REPORTS = 10
"""Maximum number of reports in one reply; more go their own way through the gate."""


def enqueue_or_merge(
    context: Context,
    tx: Transaction,
    candidate: Candidate,
    facts: Callable[[], ReplyFacts],
    *,
    report_id: int,
    stored: Callable[[int], ReplyFacts | None],
    is_first: bool = True,
) -> bool | None:
    """Put a reply before the gate, or merge it into one that is pending: then return None.

    `stored` returns the facts of the report of a stored bounce, by its number.
    What cannot be merged is withheld unless it `is_first`, the first reply that a message causes.
    Merging passes the same gate, except for what was written to the person before: the pending reply has
    not left. A copy of a report never comes here.
    """
    seconds = context.config.reply.settle_seconds
    pending = _find_pending(context, tx, candidate, timedelta(seconds=seconds)) if seconds else None
    has_room = pending is not None and len(pending.bounces) < MOST_REPORTS
    if pending is not None and has_room and _may_merge(context, tx, candidate):
        _merge(context, tx, pending, facts(), stored)
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


def _merge(
    context: Context,
    tx: Transaction,
    pending: PendingReply,
    facts: ReplyFacts,
    stored: Callable[[int], ReplyFacts | None],
) -> None:
    first, *more = by_mail([*filter(None, map(stored, pending.bounces)), facts])
    letter = context.composer.reply(replace(first, event_key=pending.event_key, more=tuple(more)))
    content, _ = frozen(context, letter, context.clock())
    tx.pending_replies.replace(pending.number, letter, content)


def by_mail(reports: Iterable[ReplyFacts]) -> list[ReplyFacts]:
    """Return one value for each bounced mail: reports about the same mail are joined, others never."""
    mails: dict[str, ReplyFacts] = {}
    for place, one in enumerate(reports):
        key = one.mail_id or f"report {place}"
        mails[key] = _joined(mails[key], one) if key in mails else one
    return list(mails.values())


def _joined(one: ReplyFacts, other: ReplyFacts) -> ReplyFacts:
    bounces = (*one.bounces, *other.bounces)
    about = one if leading(bounces) in one.bounces else other
    is_one_cause = len({bounce.cause for bounce in bounces}) == 1
    return replace(
        one,
        bounces=bounces,
        earlier_bounces=about.earlier_bounces,
        known_addresses=(*one.known_addresses, *other.known_addresses),
        known_domains=(*one.known_domains, *other.known_domains),
        incident=about.incident if is_one_cause else None,
        incident_since=about.incident_since if is_one_cause else None,
    )
