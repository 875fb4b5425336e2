"""What the service does: one mailbox at a time, and everything else that is due.

Who looks at the service from outside: admins by mail, Prometheus by a file, a monitor by its heartbeat.

None of them may ever stop it.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from bounce_watch.config.secrets import SecretError, heartbeat_url
from bounce_watch.daemon.mailbox_thread import MailboxOutcome, MailboxThread
from bounce_watch.pipeline import Context, CycleResult, check_mailbox, run_due_work
from bounce_watch.pipeline.condition import judge_condition, look_beside
from bounce_watch.pipeline.cycle import next_due
from bounce_watch.pipeline.incidents.mailbox_outage import note_fault, note_recovery
from bounce_watch.pipeline.metrics import Figures
from bounce_watch.send.heartbeat import Heartbeat
from bounce_watch.send.interface import Sender, SentLookup
from bounce_watch.source.interface import Source
from bounce_watch.store import StoreTemporary

log = structlog.get_logger()

BETWEEN_FIGURES = 5.0
"""Seconds between two writings of the figures; Prometheus looks every 15 or more."""


class Monitor:
    """Hears how mailboxes and work go. `sources` are the names of all sources by what people call them."""

    def __init__(self, context: Context, sources: Mapping[str, str]) -> None:
        self._context = context
        self._sources = dict(sources)
        self._ill: set[str] = set()
        self._figures = Figures()
        self._heartbeat = _heartbeat(context)
        self._written = float("-inf")
        if context.store.watcher.is_alone:
            with context.store.transaction() as tx:
                tx.keep_troubles(self._sources.values())

    def on_success(self, source: str, label: str) -> None:
        """Hear that a mailbox was read. The heart beats while every mailbox is well."""
        self._ill.discard(source)
        try:
            if note_recovery(self._context, source, label):
                log.info("admins_told", mailbox=label, of="recovery")
        except (StoreTemporary, OSError) as error:
            log.warning("recovery_not_noted", mailbox=label, error=str(error))
        if self._heartbeat is not None and not self._ill:
            self._heartbeat.beat()

    def on_failure(self, source: str, label: str, fault: Exception) -> None:
        """Hear of a fault. Where even the store has one, the log alone tells."""
        self._ill.add(source)
        try:
            if note_fault(self._context, source, label, fault):
                log.warning("admins_told", mailbox=label, of="outage")
        except (StoreTemporary, OSError) as error:
            log.warning("fault_not_noted", mailbox=label, error=str(error))

    def attended(self, result: CycleResult) -> None:
        """Count what was done, and write the figures where they are wanted."""
        self._figures.count(result)
        path = self._context.config.monitor.textfile
        if path is None or time.monotonic() - self._written < BETWEEN_FIGURES:
            return
        self._written = time.monotonic()
        try:
            self._write_figures(path)
        except (StoreTemporary, OSError) as error:
            log.warning("figures_not_written", path=str(path), error=str(error))

    def _write_figures(self, path: Path) -> None:
        context = self._context
        beside = look_beside(context.config, self._sources, (f"process {os.getpid()}",))
        lines = judge_condition(context.store, context.config, context.clock(), beside)
        self._figures.write(lines, path, context.clock())


def _heartbeat(context: Context) -> Heartbeat | None:
    try:
        url = heartbeat_url(context.config.monitor)
    except SecretError as error:
        log.error("no_heartbeat", error=str(error), repair=error.repair)
        return None
    return Heartbeat(url) if url else None


QUIET = "nothing new"
PORTION = 2.0
"""Seconds for which a look goes through what lies in a mailbox for long; others have their turn then."""
SOONEST = 0.05
"""Seconds to leave between two rounds, so that what cannot be done now makes no hot loop."""


class CycleWork:
    """The work of one configuration. `stop` tells whether to leave off between two pieces, `sources` are the
    names of all sources by what people call them."""

    def __init__(
        self,
        context: Context,
        sender: Sender,
        sent_lookup: SentLookup | None,
        stop: Callable[[], bool],
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self.status = QUIET
        self._context = context
        self._sender = sender
        self._sent_lookup = sent_lookup
        self._stop = stop
        self._result = CycleResult()
        self._monitor = Monitor(context, sources or {})

    def check_mailbox(self, source: Source, progress: Callable[[], None]) -> MailboxOutcome:
        before = self._result.messages
        halfway = check_mailbox(
            self._context, source, self._result, stop=self._stop, progress=progress, portion=PORTION
        )
        if halfway:
            return MailboxOutcome.HALFWAY
        return MailboxOutcome.NEW if self._result.messages > before else MailboxOutcome.NOTHING

    def run_due_work(self) -> None:
        result, self._result = self._result, CycleResult()
        run_due_work(self._context, self._sender, self._sent_lookup, result, stop=self._stop)
        if result.messages or result.delivered.sent or result.digest:
            done = one_line(result)
            log.info("looked", status=done)
            # It stays until something new happens, so it bears its time.
            self.status = f"{self._context.clock().astimezone(self._context.config.zone):%H:%M}: {done}"
        self._monitor.attended(result)

    def seconds_until_due(self) -> float | None:
        now = self._context.clock()
        due = next_due(self._context, now)
        return None if due is None else max(SOONEST, (due - now).total_seconds())

    def has_worked(self, mailbox: MailboxThread) -> bool:
        return self._context.store.last_look_at(mailbox.source.name) is not None

    def on_success(self, mailbox: MailboxThread) -> None:
        self._monitor.on_success(mailbox.source.name, mailbox.label)

    def on_failure(self, mailbox: MailboxThread, fault: Exception) -> None:
        self._monitor.on_failure(mailbox.source.name, mailbox.label, fault)


def one_line(result: CycleResult) -> str:
    """Return what one round did."""
    return (
        f"{result.messages} new mails, {result.bounces} bounces, {len(result.opened)} incidents opened, "
        f"{result.letters} answers written, {result.delivered.sent} mails sent"
    )
