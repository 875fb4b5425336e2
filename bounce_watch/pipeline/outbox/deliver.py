"""Send what is in the outbox: one mail at a time, leased before its first byte, recorded after the reply."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bounce_watch.model import OutboxState
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.outbox.unconfirmed import resolve_unconfirmed
from bounce_watch.send.interface import Delivery, Outcome, Sender, SentLookup
from bounce_watch.store import OutboxEntry
from bounce_watch.testing import crash_points

log = structlog.get_logger()

BATCH = 50
LATER_IN_A_ROW = 3
"""A round ends after this many deferred mails in a row: then the server is at fault, not the mails."""


@dataclass(slots=True, kw_only=True)
class Delivered:
    """Outcomes of the mails that were due. `stopped` holds the server's reply if sending must stop.

    Then `repair` and `commands` say what to do, where that is known.
    """

    sent: int = 0
    later: int = 0
    failed: int = 0
    unknown: int = 0
    stopped: str | None = None
    repair: str = ""
    commands: tuple[str, ...] = ()

    def merge(self, other: "Delivered") -> None:
        """Add what another round did."""
        self.sent += other.sent
        self.later += other.later
        self.failed += other.failed
        self.unknown += other.unknown
        self.stopped = other.stopped or self.stopped
        self.repair, self.commands = other.repair or self.repair, other.commands or self.commands


def deliver(
    context: Context,
    sender: Sender,
    sent_lookup: SentLookup | None = None,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Delivered:
    """Send what is due, after deciding about mails that may have been sent before.

    A fault of the configuration ends the round and keeps the mails. Then sending pauses for a while.
    """
    _record_deliveries(context)
    if context.store.watcher.leads():
        _recover(context)
        if entries := context.store.outbox.unknown_due(context.clock()):
            resolve_unconfirmed(context, sent_lookup, entries)
    paused = context.store.state.sending_paused(context.clock())
    done = Delivered(stopped=paused.why if paused else None)
    in_a_row = 0
    while not done.stopped and (due := context.store.outbox.due(context.clock(), BATCH)):
        for entry in due:
            if stop() or done.stopped or in_a_row >= LATER_IN_A_ROW:
                return done
            outcome = _send_one(context, sender, entry, done)
            in_a_row = in_a_row + 1 if outcome is Outcome.LATER else 0
    return done


def _send_one(context: Context, sender: Sender, entry: OutboxEntry, done: Delivered) -> Outcome | None:
    mail = context.store.claim(entry.id, context.store.watcher.owner, context.clock())
    if mail is None:
        return None
    crash_points.point("deliver.claimed")
    delivery = sender.send(mail.recipient, mail.content)
    crash_points.point("deliver.sent")
    context.unrecorded[mail.id] = delivery
    _record_deliveries(context)
    _count(done, delivery)
    return delivery.outcome


def _recover(context: Context) -> None:
    """Take over what was being sent when a watcher died, or when a fault ended a round of ours."""
    watcher = context.store.watcher
    if watcher.is_alone and not context.store.outbox.list({OutboxState.SENDING}, limit=1):
        return
    with context.store.transaction() as tx:
        found = tx.outbox.recover(context.clock(), tuple if watcher.is_alone else watcher.at_work)
    for entry in found:
        log.warning("sending_cut_short", number=entry.id)


def _record_deliveries(context: Context) -> None:
    """Record the outcomes of deliveries; while the disk is full they stay in memory until the next round."""
    for number, delivery in list(context.unrecorded.items()):
        context.store.finish(number, delivery.outcome, delivery.reply, context.clock())
        del context.unrecorded[number]


def _count(done: Delivered, delivery: Delivery) -> None:
    match delivery.outcome:
        case Outcome.SENT:
            done.sent += 1
        case Outcome.LATER:
            done.later += 1
        case Outcome.FAILED:
            done.failed += 1
        case Outcome.UNKNOWN:
            done.unknown += 1
        case Outcome.STOP:
            done.stopped, done.repair, done.commands = delivery.reply, delivery.repair, delivery.commands
            log.error("sending_stopped", reply=delivery.reply, repair=delivery.repair)
            for command in delivery.commands:
                log.error("sending_stopped", command=command)
