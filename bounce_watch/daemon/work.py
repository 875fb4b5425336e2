"""What the service does with a house: one mailbox at a time, and everything else that is due."""

from collections.abc import Callable, Mapping

import structlog

from bounce_watch.daemon.mailbox import Looked, Mailbox
from bounce_watch.daemon.monitor import Monitor
from bounce_watch.pipeline import CycleResult, House, attend, look
from bounce_watch.pipeline.due import next_due
from bounce_watch.send.interface import Probe, Sender
from bounce_watch.source.interface import Source

log = structlog.get_logger()

QUIET = "nothing new"
PORTION = 2.0
"""Seconds for which a look goes through what lies in a mailbox for long; others have their turn then."""
SOONEST = 0.05
"""Seconds to leave between two rounds, so that what cannot be done now makes no hot loop."""


class HouseWork:
    """The work of one house. `stop` tells whether to leave off between two pieces, `sources` are the
    names of all sources by what people call them."""

    def __init__(
        self,
        house: House,
        sender: Sender,
        probe: Probe | None,
        stop: Callable[[], bool],
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self.status = QUIET
        self._house = house
        self._sender = sender
        self._probe = probe
        self._stop = stop
        self._result = CycleResult()
        self._monitor = Monitor(house, sources or {})

    def look(self, source: Source, progress: Callable[[], None]) -> Looked:
        before = self._result.messages
        halfway = look(self._house, source, self._result, stop=self._stop, progress=progress, portion=PORTION)
        if halfway:
            return Looked.HALFWAY
        return Looked.NEW if self._result.messages > before else Looked.NOTHING

    def attend(self) -> None:
        result, self._result = self._result, CycleResult()
        attend(self._house, self._sender, self._probe, result, stop=self._stop)
        if result.messages or result.delivered.sent or result.digest:
            done = one_line(result)
            log.info("looked", status=done)
            # It stays until something new happens, so it bears its time.
            self.status = f"{self._house.clock().astimezone(self._house.config.zone):%H:%M}: {done}"
        self._monitor.attended(result)

    def seconds_until_due(self) -> float | None:
        now = self._house.clock()
        due = next_due(self._house, now)
        return None if due is None else max(SOONEST, (due - now).total_seconds())

    def has_worked(self, mailbox: Mailbox) -> bool:
        return self._house.store.last_look_at(mailbox.source.name) is not None

    def well(self, mailbox: Mailbox) -> None:
        self._monitor.well(mailbox.source.name, mailbox.label)

    def ill(self, mailbox: Mailbox, fault: Exception) -> None:
        self._monitor.ill(mailbox.source.name, mailbox.label, fault)


def one_line(result: CycleResult) -> str:
    """Return what one round did."""
    return (
        f"{result.messages} new mails, {result.bounces} bounces, {len(result.opened)} incidents opened, "
        f"{result.letters} answers written, {result.delivered.sent} mails sent"
    )
