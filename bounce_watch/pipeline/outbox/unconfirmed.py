"""Mails that may have left: their sending was cut short between the content and the server's reply.

After the grace we look where sent mail lies. What is there was sent. What is missing is sent again, byte
for byte, where missing means something; a second copy of guidance costs more than none, so a reply that
nobody can look for is given up and named in the digest, while alerts and digests are sent again.
"""

from collections.abc import Sequence

from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.notifications.gate.values import Reason
from bounce_watch.pipeline.context import Context
from bounce_watch.send.interface import SentLookup
from bounce_watch.store import OutboxEntry, Transaction

RESENDS = {LetterKind.REPLY: 1, LetterKind.ALERT: 3, LetterKind.DIGEST: 3, LetterKind.PROBE: 0}
"""How often a mail is sent again because nobody knows whether it left."""


def settle_uncertain(context: Context, sent_lookup: SentLookup | None) -> int:
    """Decide every mail whose grace is over; return how many were decided."""
    entries = context.store.outbox.unknown_due(context.clock())
    if not entries:
        return 0
    found: frozenset[str] | None = frozenset()
    missing_means_unsent = False
    if sent_lookup is not None:
        control = _find_control(context)
        found = sent_lookup.find({entry.bw_id for entry in entries} | control)
        missing_means_unsent = found is not None and (sent_lookup.is_complete or bool(control & found))
    with context.store.transaction() as tx:
        for entry in entries:
            if found is None:
                tx.outbox.look_later(entry.id, context.clock())
            else:
                _decide(context, tx, entry, was_sent=entry.bw_id in found, certain=missing_means_unsent)
    return 0 if found is None else len(entries)


def _find_control(context: Context) -> frozenset[str]:
    """Return the id of the newest mail that was sent for certain: a place that lacks it proves nothing."""
    newest: Sequence[OutboxEntry] = context.store.outbox.list({OutboxState.SENT}, limit=1)
    return frozenset(entry.bw_id for entry in newest)


def _decide(context: Context, tx: Transaction, entry: OutboxEntry, *, was_sent: bool, certain: bool) -> None:
    now = context.clock()
    may_repeat = certain or entry.kind is not LetterKind.REPLY
    if was_sent:
        tx.outbox.decide(entry.id, OutboxState.SENT, now, "found where sent mail lies")
    elif may_repeat and tx.state.times_resent(entry.id) < RESENDS[entry.kind]:
        tx.state.note_resent(entry.id)
        tx.outbox.decide(entry.id, OutboxState.PENDING, now, "not found where sent mail lies: sent again")
    else:
        tx.outbox.decide(entry.id, OutboxState.ABANDONED, now, "it may have left; it is not sent again")
        tx.outbox.withhold(entry.recipient, entry.cause, Reason.UNCERTAIN, now, entry.report_id)
