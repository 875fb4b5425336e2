"""Send what is in the outbox: one mail at a time, leased before its first byte, recorded after the reply.

A mail is unconfirmed if the connection ended between its content and the server's reply. After a grace
period it is looked up among sent mail. What is found was sent. What is missing is sent again, byte for byte,
if the lookup proves that. Without a proof, alerts and digests are sent again, but a reply is given up and
counted in the digest: a second copy of guidance costs more than none.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bounce_watch.model import GUIDANCE, LetterKind, OutboxState
from bounce_watch.notifications.gate.values import Reason
from bounce_watch.pipeline.context import Context
from bounce_watch.send.interface import Delivery, Outcome, Sender, SentLookup
from bounce_watch.store import OutboxEntry, Transaction
from bounce_watch.testing import crash_points

log = structlog.get_logger()

BATCH = 50
LATER_IN_A_ROW = 3
"""A round ends after this many deferred mails in a row: then the server is at fault, not the mails."""
LONGEST_ROUND = 30.0
"""Seconds after which a round ends: a server that answers slowly must not keep us from reading mail."""

PATIENCE = timedelta(hours=1)
"""How long replies wait behind a security alert."""

RESENDS = dict.fromkeys(LetterKind, 3) | dict.fromkeys(GUIDANCE, 1) | {LetterKind.PROBE: 0}
"""How often a mail is sent again when it is unknown whether it was sent."""


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
    if context.store.worker.leads():
        _recover(context)
        if entries := context.store.outbox.unknown_due(context.clock()):
            resolve_unconfirmed(context, sent_lookup, entries)
    paused = context.store.state.sending_paused(context.clock())
    done = Delivered(stopped=paused.why if paused else None)
    in_a_row, tried, end = 0, set[int](), time.monotonic() + LONGEST_ROUND
    while not done.stopped and (due := _due(context, tried)):
        for entry in due:
            if stop() or done.stopped or in_a_row >= LATER_IN_A_ROW or time.monotonic() > end:
                return done
            delivery = _send_one(context, sender, entry, done)
            if delivery is None or not delivery.is_about_one:
                in_a_row = in_a_row + 1 if delivery and delivery.outcome is Outcome.LATER else 0
    return done


def _due(context: Context, tried: set[int]) -> Sequence[OutboxEntry]:
    """Return what is due. Replies wait behind security alerts, which are tried before them once more.

    After `PATIENCE` an alert that cannot leave holds no reply up any more.
    """
    now, store = context.clock(), context.store
    due = store.outbox.due(now, BATCH)
    if all(entry.kind not in GUIDANCE for entry in due):
        return due
    waiting = store.outbox.security_alerts(now - PATIENCE)
    if untried := [entry for entry in waiting if entry.id not in tried]:
        tried.update(entry.id for entry in untried)
        with store.transaction() as tx:
            tx.outbox.hurry([entry.id for entry in untried], now)
        return untried
    if waiting or store.incidents.has_security_alert_to_write(now - PATIENCE, now):
        return [entry for entry in due if entry.kind not in GUIDANCE]
    return due


def _send_one(context: Context, sender: Sender, entry: OutboxEntry, done: Delivered) -> Delivery | None:
    mail = context.store.claim(entry.id, context.store.worker.owner, context.clock())
    if mail is None:
        return None
    crash_points.point("deliver.claimed")
    delivery = sender.send(mail.recipient, mail.content)
    crash_points.point("deliver.sent")
    context.unrecorded[mail.id] = delivery
    _record_deliveries(context)
    _count(done, delivery)
    if delivery.outcome in (Outcome.LATER, Outcome.FAILED):
        log.warning("mail_not_sent", number=mail.id, kind=mail.kind, reply=delivery.reply)
    return delivery


def _recover(context: Context) -> None:
    """Take over what was being sent when a watcher died, or when a fault ended a round of ours."""
    worker = context.store.worker
    if worker.is_alone and not context.store.outbox.list({OutboxState.SENDING}, limit=1):
        return
    with context.store.transaction() as tx:
        found = tx.outbox.recover(context.clock(), tuple if worker.is_alone else worker.at_work)
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


def resolve_unconfirmed(
    context: Context, sent_lookup: SentLookup | None, entries: Sequence[OutboxEntry]
) -> int:
    """Decide about mails whose grace period is over; return how many were decided."""
    found: frozenset[str] | None = frozenset()
    missing_means_unsent = False
    if sent_lookup is not None:
        # The newest mail that was certainly sent: a lookup that misses it proves nothing.
        newest = context.store.outbox.list({OutboxState.SENT}, limit=1)
        control = {entry.bw_id for entry in newest}
        found = sent_lookup.find({entry.bw_id for entry in entries} | control)
        missing_means_unsent = found is not None and (sent_lookup.is_complete or bool(control & found))
    with context.store.transaction() as tx:
        for entry in entries:
            if found is None:
                tx.outbox.look_later(entry.id, context.clock())
            else:
                _decide(context, tx, entry, was_sent=entry.bw_id in found, certain=missing_means_unsent)
    return 0 if found is None else len(entries)


def _decide(context: Context, tx: Transaction, entry: OutboxEntry, *, was_sent: bool, certain: bool) -> None:
    now = context.clock()
    may_repeat = certain or entry.kind not in GUIDANCE
    if was_sent:
        tx.outbox.decide(entry.id, OutboxState.SENT, now, "found where sent mail lies")
    elif may_repeat and tx.state.times_resent(entry.id) < RESENDS[entry.kind]:
        tx.state.note_resent(entry.id)
        tx.outbox.decide(entry.id, OutboxState.PENDING, now, "not found where sent mail lies: sent again")
    else:
        tx.outbox.decide(entry.id, OutboxState.ABANDONED, now, "it may have left; it is not sent again")
        tx.outbox.withhold(entry.recipient, entry.cause, Reason.UNCERTAIN, now, entry.report_id)
