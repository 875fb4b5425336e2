"""Bounces of addresses that no person reads, such as a scanner's: their owner gets one letter about them.

The gate notes each such bounce instead of a reply (`owner_told`); the notes since the last letter to an
owner are the next one. So an owner gets one letter per hour at most, whatever bounces.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bounce_watch.config.owners import SenderOwner, find_owner
from bounce_watch.model import Cause, LetterKind
from bounce_watch.notifications.facts import OwnerFacts, ReplyFacts, UnreadSender
from bounce_watch.notifications.gate.check import examine, refuse_at_once
from bounce_watch.notifications.gate.values import UNREAD, Candidate, Past, Policy, Reason
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.digest import newest_due
from bounce_watch.pipeline.outbox.enqueue import post
from bounce_watch.pipeline.replies.facts import stored_facts
from bounce_watch.store import BounceDetail, Transaction
from bounce_watch.store.outbox.owner_letters import Waiting

PAUSE = timedelta(hours=1)
"""Minimum time between two letters to one owner."""

STALE = timedelta(days=3)
"""A bounce that waited longer for a letter is not told any more: preview, or no owner's address."""

MOST_GROUPS, MOST_OF_EACH = 8, 5
"""Maximum of senders with a cause in one letter, and of reports about each; the letter counts the rest."""


def goes_to_owner(candidate: Candidate, owner: SenderOwner | None, policy: Policy, now: datetime) -> bool:
    """Tell whether an owner is told instead of a sender: the gate refuses only because no person reads it."""
    if owner is None:
        return False
    refused = {reason for reason, applies in examine(candidate, Past(), policy, now) if applies}
    # An address that the configuration leaves alone may still have an owner, but not by a fallback pattern.
    known = UNREAD | {Reason.NEVER_TO} if candidate.known_robot else UNREAD
    return bool(refused) and refused <= known


def write_owner_letters(context: Context, tx: Transaction, *, hurry: bool = False) -> int:
    """Write the letters that are due to owners; return how many. `hurry`: do not wait for more bounces."""
    owners = context.owners
    if not owners:
        return 0
    senders: dict[str, dict[str, SenderOwner]] = {}
    for group in tx.owner_letters.waiting(Reason.OWNER_TOLD, context.clock() - STALE):
        if owner := find_owner(owners, group.sender):
            for address in owner.to:
                senders.setdefault(address, {})[group.sender] = owner
    return sum(_write(context, tx, to, theirs, hurry=hurry) for to, theirs in senders.items())


def _write(
    context: Context, tx: Transaction, to: str, senders: Mapping[str, SenderOwner], *, hurry: bool
) -> bool:
    """Write to one address about all that waits, once one of its senders is due."""
    now, last = context.clock(), tx.owner_letters.last_to(to)
    if last is not None and (last.is_unfinished or now - last.at < PAUSE):
        return False
    after = int(last.event_key.split(":")[1]) if last else 0
    waiting = tx.owner_letters.waiting(Reason.OWNER_TOLD, now - STALE, senders=senders, after=after)
    if not any(_is_due(context, senders[one.sender], one.first_at, hurry=hurry) for one in waiting):
        return False
    key = f"owner:{max(group.newest for group in waiting)}:{to.lower()}"
    details = [tx.history.show(number) for number in _bounces(tx, waiting, after)]
    times = [detail.message.received_at for detail in details if detail.message.received_at]
    candidate = Candidate(kind=LetterKind.OWNER, to=to, event_key=key, received_at=min(times, default=None))
    # A refusal is noted with the bounces already, and would be noted again each time.
    if not details or refuse_at_once(candidate, context.policy, now):
        return False
    messages = sum(group.count for group in waiting)
    facts = OwnerFacts(
        event_key=key,
        to=to,
        senders=tuple(dict.fromkeys(group.sender for group in waiting)),
        messages=messages,
        unread=tuple(_unread(context, tx, details, to, key)),
        more=messages - len(details),
        language=tx.known_addresses.language_of(to, context.site.accepted_evidence),
    )
    return post(context, tx, candidate, partial(context.composer.owner, facts))


def _is_due(context: Context, owner: SenderOwner, first_at: datetime, *, hurry: bool) -> bool:
    now = context.clock()
    match owner.every:
        case "at_once":
            return hurry or now - first_at >= timedelta(seconds=context.config.reply.settle_seconds)
        case "hour":
            return now - first_at >= PAUSE
        case "day":
            return first_at < newest_due(context.config, now)


def _bounces(tx: Transaction, waiting: Sequence[Waiting], after: int) -> Iterator[int]:
    for group in waiting[:MOST_GROUPS]:
        yield from tx.owner_letters.bounces(group, Reason.OWNER_TOLD, after, MOST_OF_EACH)


def _unread(
    context: Context, tx: Transaction, details: Iterable[BounceDetail], to: str, key: str
) -> Iterator[UnreadSender]:
    """Yield each sender and cause once, with the messages that failed."""
    mails: dict[tuple[str, Cause], list[ReplyFacts]] = {}
    for detail in details:
        now = context.clock()
        facts = stored_facts(tx, context.site, context.rules, now, detail, to=to, event_key=key)
        for one in [replace(facts, bounces=(bounce,)) for bounce in facts.bounces] if facts else ():
            lead = one.bounces[0]
            mails.setdefault((lead.sender or "", lead.cause), []).append(one)
    for (sender, _), those in mails.items():
        yield UnreadSender(sender=sender, mails=tuple(those))
