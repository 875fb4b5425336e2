"""The outbox leaves the house: one mail at a time, leased before its first byte, settled after the reply."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from bounce_watch import crash
from bounce_watch.pipeline.house import House
from bounce_watch.pipeline.uncertain import settle_uncertain
from bounce_watch.send.interface import Outcome, Probe, Sender
from bounce_watch.store import OutboxEntry

BATCH = 50
LATER_IN_A_ROW = 3
"""So many mails in a row that must wait end a round: the server is away, not the mails at fault."""


@dataclass(slots=True, kw_only=True)
class Delivered:
    """What became of the mails that were due. `stopped` has the server's words when we must not go on."""

    sent: int = 0
    later: int = 0
    failed: int = 0
    unknown: int = 0
    stopped: str | None = None

    def merge(self, other: "Delivered") -> None:
        """Add what another round did."""
        self.sent += other.sent
        self.later += other.later
        self.failed += other.failed
        self.unknown += other.unknown
        self.stopped = other.stopped or self.stopped


def deliver(
    house: House,
    sender: Sender,
    probe: Probe | None = None,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Delivered:
    """Send what is due, after a look at what may have been sent before.

    A fault of the configuration ends the round and keeps the mails; the next rounds rest for a while.
    """
    settle_uncertain(house, probe)
    paused = house.store.sending_paused(house.clock())
    done = Delivered(stopped=paused.why if paused else None)
    owner, in_a_row = f"{os.getpid()}", 0
    while not done.stopped and (due := house.store.due(house.clock(), BATCH)):
        for entry in due:
            if stop() or done.stopped or in_a_row >= LATER_IN_A_ROW:
                return done
            outcome = _send_one(house, sender, entry, owner, done)
            in_a_row = in_a_row + 1 if outcome is Outcome.LATER else 0
    return done


def _send_one(
    house: House, sender: Sender, entry: OutboxEntry, owner: str, done: Delivered
) -> Outcome | None:
    with house.store.transaction() as tx:
        mail = tx.claim(entry.id, owner, house.clock())
    if mail is None:
        return None
    crash.point("deliver.claimed")
    delivery = sender.send(mail.recipient, mail.content)
    crash.point("deliver.sent")
    with house.store.transaction() as tx:
        tx.finish(mail.id, delivery.outcome, delivery.reply, house.clock())
    _count(done, delivery.outcome, delivery.reply)
    return delivery.outcome


def _count(done: Delivered, outcome: Outcome, reply: str) -> None:
    match outcome:
        case Outcome.SENT:
            done.sent += 1
        case Outcome.LATER:
            done.later += 1
        case Outcome.FAILED:
            done.failed += 1
        case Outcome.UNKNOWN:
            done.unknown += 1
        case Outcome.STOP:
            done.stopped = reply
