"""The work of the service, and its reports to the outside.

Admins are told by email, Prometheus by a file, a monitor by a heartbeat. A fault in a report never stops the
service.
"""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from bounce_watch.config.secrets import SecretError, heartbeat_url
from bounce_watch.daemon.mailbox_thread import MailboxOutcome, MailboxThread
from bounce_watch.pipeline import Context, CycleResult, check_mailbox, run_due_work
from bounce_watch.pipeline.cycle import next_due
from bounce_watch.pipeline.health import Level, judge_health, judge_mailboxes, judge_sending, worst
from bounce_watch.pipeline.incidents.mailbox_outage import note_fault, note_poll
from bounce_watch.pipeline.metrics import Figures
from bounce_watch.send.heartbeat import Heartbeat
from bounce_watch.send.interface import Sender, SentLookup
from bounce_watch.source.interface import Source
from bounce_watch.store import StoreTemporary

log = structlog.get_logger()

METRICS_INTERVAL = 5.0
"""Seconds between two updates of the metrics file; Prometheus reads it every 15 or more."""


class Monitor:
    """Reports on mailboxes and work. `sources` holds the name of each source by its label."""

    def __init__(self, context: Context, sources: Mapping[str, str]) -> None:
        self._context = context
        self._sources = dict(sources)
        self._figures = Figures()
        self._heartbeat = _heartbeat(context)
        self._written = float("-inf")
        self._stuck = Level.OK
        if context.store.worker.is_alone:
            with context.store.transaction() as tx:
                tx.mailboxes.keep_troubles(self._sources.values())

    def on_success(self, source: str, label: str) -> None:
        """Note that a mailbox was read. Send a heartbeat while every mailbox is well and mail leaves."""
        context = self._context
        try:
            if note_poll(context, source, label):
                log.info("admins_told", mailbox=label, of="a change")
            if self._heartbeat is None:
                return
            now = context.clock()
            lines = judge_mailboxes(context.store, context.config, now, self._sources)
            sending = judge_sending(context.store, context.config, now)
            lines += tuple(line for line in sending if line.name in ("pending", "sending"))
        except (StoreTemporary, OSError) as error:
            log.warning("recovery_not_noted", mailbox=label, error=str(error))
            return
        if worst(lines) is Level.OK:
            self._heartbeat.beat()

    def on_failure(self, source: str, label: str, fault: Exception) -> None:
        """Note a fault. If the store fails too, only the log reports it."""
        try:
            if note_fault(self._context, source, label, fault):
                log.warning("admins_told", mailbox=label, of="outage")
        except (StoreTemporary, OSError) as error:
            log.warning("fault_not_noted", mailbox=label, error=str(error))

    def on_work_done(self, result: CycleResult) -> None:
        self._figures.count(result)
        self._note_stuck()
        path = self._context.config.monitor.textfile
        if path is None or time.monotonic() - self._written < METRICS_INTERVAL:
            return
        self._written = time.monotonic()
        try:
            self._write_figures(path)
        except (StoreTemporary, OSError) as error:
            log.warning("figures_not_written", path=str(path), error=str(error))

    def _note_stuck(self) -> None:
        """Log when mail cannot leave, and when it leaves again."""
        context = self._context
        try:
            line = judge_sending(context.store, context.config, context.clock())[0]
        except (StoreTemporary, OSError):
            return  # the work that failed too says why
        if line.level > self._stuck:
            write = log.error if line.level is Level.CRITICAL else log.warning
            write("mail_cannot_leave", status=line.text)
        elif line.level < self._stuck:
            log.info("mail_leaves_again")
        self._stuck = line.level

    def _write_figures(self, path: Path) -> None:
        context, now = self._context, self._context.clock()
        workers = (f"process {os.getpid()}",)
        lines = judge_health(context.store, context.config, now, sources=self._sources, workers=workers)
        self._figures.write(lines, path, now)


def _heartbeat(context: Context) -> Heartbeat | None:
    try:
        url = heartbeat_url(context.config.monitor)
    except SecretError as error:
        log.error("no_heartbeat", error=str(error), repair=error.repair)
        return None
    return Heartbeat(url) if url else None


IDLE_STATUS = "nothing new"
PORTION = 2.0
"""Maximum seconds per check for old messages of one mailbox, so that the others get their turn."""
MIN_PAUSE = 0.05
"""Minimum seconds between two runs of due work, so that work that cannot be done now makes no busy loop."""


class CycleWork:
    """The work with one configuration. `sources` holds the name of each source by its label.

    `stop` is called between two steps and tells whether to stop.
    """

    def __init__(
        self,
        context: Context,
        sender: Sender,
        sent_lookup: SentLookup | None,
        stop: Callable[[], bool],
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self.status = IDLE_STATUS
        self._context = context
        self._sender = sender
        self._sent_lookup = sent_lookup
        self._stop = stop
        self._result = CycleResult()
        self._monitor = Monitor(context, sources or {})

    def check_mailbox(self, source: Source, progress: Callable[[], None]) -> MailboxOutcome:
        before = self._result.messages
        is_partly_read = check_mailbox(
            self._context, source, self._result, stop=self._stop, progress=progress, portion=PORTION
        )
        if is_partly_read:
            return MailboxOutcome.PARTLY_READ
        return MailboxOutcome.NEW if self._result.messages > before else MailboxOutcome.NOTHING

    def run_due_work(self) -> None:
        result, self._result = self._result, CycleResult()
        run_due_work(self._context, self._sender, self._sent_lookup, result, stop=self._stop)
        if result.messages or result.delivered.sent or result.digest:
            done = one_line(result)
            log.info("looked", status=done)
            # The status stays until something new happens, so it includes the time.
            self.status = f"{self._context.clock().astimezone(self._context.config.zone):%H:%M}: {done}"
        self._monitor.on_work_done(result)

    def seconds_until_due(self) -> float | None:
        now = self._context.clock()
        due = next_due(self._context, now)
        return None if due is None else max(MIN_PAUSE, (due - now).total_seconds())

    def has_worked(self, mailbox: MailboxThread) -> bool:
        return self._context.store.mailboxes.last_look_at(mailbox.source.name) is not None

    def on_success(self, mailbox: MailboxThread) -> None:
        self._monitor.on_success(mailbox.source.name, mailbox.label)

    def on_failure(self, mailbox: MailboxThread, fault: Exception) -> None:
        self._monitor.on_failure(mailbox.source.name, mailbox.label, fault)


def one_line(result: CycleResult) -> str:
    return (
        f"{result.messages} new mails, {result.bounces} bounces, {len(result.opened)} incidents opened, "
        f"{result.letters} replies written, {result.delivered.sent} messages sent"
    )
