"""Mails that may have been sent: the connection ended between the content and the server's reply.

After a grace period they are looked up among sent mail. What is found was sent. What is missing is sent
again, byte for byte, if the lookup proves that. Without a proof, alerts and digests are sent again, but a
reply is given up and counted in the digest: a second copy of guidance costs more than none.
"""

from collections.abc import Sequence

from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.notifications.gate.values import Reason
from bounce_watch.pipeline.context import Context
from bounce_watch.send.interface import SentLookup
from bounce_watch.store import OutboxEntry, Transaction

RESENDS = {LetterKind.REPLY: 1, LetterKind.ALERT: 3, LetterKind.DIGEST: 3, LetterKind.PROBE: 0}
"""How often a mail is sent again when it is unknown whether it was sent."""


def resolve_unconfirmed(
    context: Context, sent_lookup: SentLookup | None, entries: Sequence[OutboxEntry]
) -> int:
    """Decide about mails whose grace period is over; return how many were decided."""
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
    """Return the id of the newest mail that was certainly sent: a lookup that misses it proves nothing."""
    return frozenset(entry.bw_id for entry in context.store.outbox.list({OutboxState.SENT}, limit=1))


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
