"""The loop: mailboxes wait in their threads, one thread works: reads, writes, sends.

A fault of one mailbox rests that mailbox; the others and the outbox go on.
"""

import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog

from bounce_watch.daemon.mailbox_thread import MailboxOutcome, MailboxThread, NextTask
from bounce_watch.daemon.retry import MANY, is_temporary, requested_pause
from bounce_watch.daemon.signals import Stopper
from bounce_watch.daemon.systemd import notify, reloading
from bounce_watch.source.interface import Source, SourceError

log = structlog.get_logger()

TICK = 60.0
"""Seconds after which whatever may be due is looked at, if nothing is known to be due before."""

GOODBYE = 1.0
"""Seconds that all mailboxes together get to hang up."""

SHORT = 1.0
"""A hint that comes sooner after a look that found nothing new is no hint; look after so many seconds."""


class Ending(StrEnum):
    STOP = "stop"
    RELOAD = "reload"


class Work(Protocol):
    """What the loop has done. Every call may raise; nothing is lost then."""

    def check_mailbox(self, source: Source, progress: Callable[[], None]) -> MailboxOutcome:
        """Read one opened mailbox; tell what was found."""

    def run_due_work(self) -> None:
        """Do whatever else is due: digest, alerts, outbox."""

    def seconds_until_due(self) -> float | None:
        """Return when `run_due_work` has something to do next, None when nothing is known."""

    def has_worked(self, mailbox: MailboxThread) -> bool:
        """Tell whether a mailbox was read without a fault ever before."""

    def on_success(self, mailbox: MailboxThread) -> None:
        """Hear that a mailbox was read without a fault."""

    def on_failure(self, mailbox: MailboxThread, fault: Exception) -> None:
        """Hear of a mailbox's fault."""

    @property
    def status(self) -> str:
        """What was done last, in one line."""


@dataclass(slots=True)
class _State:
    """How one mailbox is doing. `trouble` is empty when it is well."""

    faults: int = 0
    trouble: str = ""
    worked: bool = False
    looked_at: float = 0.0


class Service:
    """Runs until told to stop or, once `reload` has agreed, to reload.

    `poll` is the longest pause in seconds between two looks at a mailbox, `tick` that between two looks at
    what is due besides; `retry` gives the pause after so many faults in a row. What only a person can
    repair is raised, unless some mailbox works or has worked before: then somebody is at work on the
    server, and it is tried again at the longest pause, so that a refused sign-in locks no account.
    """

    def __init__(
        self,
        mailboxes: Sequence[MailboxThread],
        work: Work,
        stopper: Stopper,
        *,
        poll: float,
        retry: Callable[[int], float],
        tick: float = TICK,
        reload: Callable[[], bool] = lambda: False,
    ) -> None:
        self._mailboxes = {mailbox: _State() for mailbox in mailboxes}
        self._work = work
        self._stopper = stopper
        self._poll = poll
        self._retry = retry
        self._tick = tick
        self._reload = reload
        self._handed: queue.SimpleQueue[tuple[MailboxThread, Exception | None] | None] = queue.SimpleQueue()
        self._due = 0.0
        self._faults = 0
        self._fed = 0.0

    def run(self) -> Ending:
        """Work until the end. Raises what no waiting repairs, and Stopped at the limit of a stop."""
        self._stopper.wake = lambda: self._handed.put(None)
        for mailbox, state in self._mailboxes.items():
            state.worked = self._work.has_worked(mailbox)
            mailbox.start(lambda *handed: self._handed.put(handed))
        notify("READY=1")
        log.info(
            "started", poll_seconds=self._poll, mailboxes=", ".join(one.label for one in self._mailboxes)
        )
        try:
            while (ending := self._ending()) is None:
                self._turn()
        finally:
            self._close()
        log.info("stopped" if ending is Ending.STOP else "begins_anew")
        return ending

    def _ending(self) -> Ending | None:
        if self._stopper.is_set():
            notify("STOPPING=1")
            return Ending.STOP
        if not self._stopper.takes_reload():
            return None
        notify(reloading())
        if self._reload():
            return Ending.RELOAD
        notify("READY=1")
        return None

    def _turn(self) -> None:
        """Wait for what is next, and do it."""
        try:
            handed = self._handed.get(timeout=max(0.0, self._due - time.monotonic()))
        except queue.Empty:
            handed = None
        if self._stopper.is_set():
            return
        if handed is not None:
            self._take(*handed)
        if handed is not None or time.monotonic() >= self._due:
            self._attend()
        self._feed()

    def _take(self, mailbox: MailboxThread, fault: Exception | None) -> None:
        """Read a mailbox that was handed over, and give it back."""
        state = self._mailboxes[mailbox]
        began, found = time.monotonic(), MailboxOutcome.NOTHING
        if fault is None:
            try:
                found = self._work.check_mailbox(mailbox.source, self._progress)
            except Exception as error:  # noqa: BLE001 - judged below
                fault = error
        if fault is not None:
            self._failed(mailbox, state, fault)
            return
        if not state.looked_at:
            log.info("watching", mailbox=mailbox.label)
        if state.trouble:
            log.info("mailbox_back", mailbox=mailbox.label, faults=state.faults)
        state.faults, state.trouble, state.worked = 0, "", True
        self._work.on_success(mailbox)
        hasty = found is MailboxOutcome.NOTHING and began - state.looked_at < SHORT
        state.looked_at = began
        wait = 0.0 if found is MailboxOutcome.HALFWAY else self._poll
        mailbox.give_back(NextTask(rest=SHORT if hasty else 0.0, wait=wait))

    def _failed(self, mailbox: MailboxThread, state: _State, fault: Exception) -> None:
        known = any(one.worked for one in self._mailboxes.values())
        if not is_temporary(fault, known):
            raise fault
        state.faults += 1
        state.trouble = str(fault) or type(fault).__name__
        passes = is_temporary(fault, False)
        rest = max(self._retry(state.faults if passes else MANY), requested_pause(fault))
        log.warning(
            "mailbox_failed",
            mailbox=mailbox.label,
            error=state.trouble,
            repair=str(getattr(fault, "repair", "")),
            next_try_seconds=round(rest),
        )
        self._work.on_failure(mailbox, fault)
        # A fault of this machine, such as a full disk, needs no new sign-in.
        mailbox.give_back(NextTask(hang_up=isinstance(fault, (SourceError, OSError)), rest=rest))

    def _attend(self) -> None:
        if self._faults and time.monotonic() < self._due:
            return
        try:
            self._work.run_due_work()
            due = self._work.seconds_until_due()
        except Exception as error:
            if not is_temporary(error, True):
                raise
            self._faults += 1
            due = self._retry(self._faults)
            log.warning("work_failed", error=str(error), next_try_seconds=round(due))
        else:
            self._faults = 0
        self._due = time.monotonic() + min(self._tick, max(0.0, self._tick if due is None else due))

    def _progress(self) -> None:
        """Feed the watchdog within a long look, now and then."""
        if time.monotonic() - self._fed > 10:
            self._feed()

    def _feed(self) -> None:
        """Tell systemd how it goes; the watchdog is fed only while every thread moves."""
        self._fed = time.monotonic()
        stuck = [mailbox.label for mailbox in self._mailboxes if mailbox.is_stuck]
        troubles = [
            f"{one.label}: {state.trouble}" for one, state in self._mailboxes.items() if state.trouble
        ]
        status = "; ".join(troubles) or self._work.status
        if stuck:
            log.error("mailbox_stuck", mailboxes=stuck)
        notify(f"{'' if stuck else 'WATCHDOG=1' + chr(10)}STATUS={' '.join(status.split())[:200]}")

    def _close(self) -> None:
        self._stopper.wake = lambda: None
        for mailbox in self._mailboxes:
            mailbox.close()
        until = time.monotonic() + GOODBYE
        for mailbox in self._mailboxes:
            mailbox.join(until - time.monotonic())
