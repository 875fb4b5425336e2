"""The main loop: mailboxes wait in threads of their own, and one thread reads, stores and sends.

A fault of one mailbox pauses only that mailbox; the others and the outbox go on.
"""

import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog

from bounce_watch.daemon.mailbox_thread import MailboxOutcome, MailboxThread, NextTask
from bounce_watch.daemon.retry import MANY_FAULTS, is_temporary
from bounce_watch.daemon.signals import Stopper
from bounce_watch.daemon.systemd import notify, reloading
from bounce_watch.source.interface import Source, SourceError, requested_pause

log = structlog.get_logger()

TICK = 60.0
"""Maximum seconds between two runs of due work."""

CLOSE_SECONDS = 1.0
"""Seconds that all mailboxes together have to close."""

MIN_INTERVAL = 1.0
"""Minimum seconds between two checks of a mailbox if the first found nothing new."""


class Ending(StrEnum):
    STOP = "stop"
    RELOAD = "reload"


class Work(Protocol):
    """What the loop calls. Every call may raise; nothing is lost then."""

    def check_mailbox(self, source: Source, progress: Callable[[], None]) -> MailboxOutcome:
        """Read one opened mailbox and return the outcome."""

    def run_due_work(self) -> None:
        """Do whatever else is due: digest, alerts, outbox."""

    def seconds_until_due(self) -> float | None:
        """Return the seconds until `run_due_work` has work, None if no work is known."""

    def has_worked(self, mailbox: MailboxThread) -> bool:
        """Tell whether a mailbox was ever read without a fault."""

    def on_success(self, mailbox: MailboxThread) -> None:
        """Note that a mailbox was read without a fault."""

    def on_failure(self, mailbox: MailboxThread, fault: Exception) -> None:
        """Note a mailbox's fault."""

    @property
    def status(self) -> str:
        """The last work, in one line."""


@dataclass(slots=True)
class _State:
    """State of one mailbox. `trouble` is its current fault, or empty. `checked_at` is monotonic time."""

    faults: int = 0
    trouble: str = ""
    worked: bool = False
    checked_at: float = 0.0


class Service:
    """Runs until a request to stop, or to reload if `reload` returns True.

    `poll` is the maximum of seconds between two checks of a mailbox, `tick` between two runs of due work.
    `retry` returns the pause after a number of faults in a row.
    A fault that an admin must fix is raised, unless a mailbox works or has worked before. Then the mailbox is
    retried with the longest pause, so that a refused sign-in does not lock the account.
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
        self._ready: queue.SimpleQueue[tuple[MailboxThread, Exception | None] | None] = queue.SimpleQueue()
        self._due = 0.0
        self._faults = 0
        self._notified_at = 0.0

    def run(self) -> Ending:
        """Work until the end. Raises faults that no retry can fix, and StopTimeout."""
        self._stopper.wake = lambda: self._ready.put(None)
        for mailbox, state in self._mailboxes.items():
            state.worked = self._work.has_worked(mailbox)
            mailbox.start(lambda *handed: self._ready.put(handed))
        notify("READY=1")
        log.info(
            "started", poll_seconds=self._poll, mailboxes=", ".join(one.label for one in self._mailboxes)
        )
        try:
            while (ending := self._ending()) is None:
                self._step()
        finally:
            self._close()
        log.info("stopped" if ending is Ending.STOP else "begins_anew")
        return ending

    def _ending(self) -> Ending | None:
        if self._stopper.is_set():
            notify("STOPPING=1")
            return Ending.STOP
        if not self._stopper.take_reload_request():
            return None
        notify(reloading())
        if self._reload():
            return Ending.RELOAD
        notify("READY=1")
        return None

    def _step(self) -> None:
        """Wait for the next mailbox or due work, and do it."""
        try:
            handed = self._ready.get(timeout=max(0.0, self._due - time.monotonic()))
        except queue.Empty:
            handed = None
        if self._stopper.is_set():
            return
        if handed is not None:
            self._check_mailbox(*handed)
        if handed is not None or time.monotonic() >= self._due:
            self._run_due_work()
        self._notify_systemd()

    def _check_mailbox(self, mailbox: MailboxThread, fault: Exception | None) -> None:
        """Read a mailbox that its thread handed over, and give it back."""
        state = self._mailboxes[mailbox]
        began, outcome = time.monotonic(), MailboxOutcome.NOTHING
        if fault is None:
            try:
                outcome = self._work.check_mailbox(mailbox.source, self._progress)
            except Exception as error:  # noqa: BLE001 - handled below
                fault = error
        if fault is not None:
            self._pause_mailbox(mailbox, state, fault)
            return
        if not state.checked_at:
            log.info("watching", mailbox=mailbox.label)
        if state.trouble:
            log.info("mailbox_back", mailbox=mailbox.label, faults=state.faults)
        state.faults, state.trouble, state.worked = 0, "", True
        self._work.on_success(mailbox)
        is_hint_wrong = outcome is MailboxOutcome.NOTHING and began - state.checked_at < MIN_INTERVAL
        state.checked_at = began
        wait = 0.0 if outcome is MailboxOutcome.PARTLY_READ else self._poll
        mailbox.give_back(NextTask(rest=MIN_INTERVAL if is_hint_wrong else 0.0, wait=wait))

    def _pause_mailbox(self, mailbox: MailboxThread, state: _State, fault: Exception) -> None:
        has_worked = any(one.worked for one in self._mailboxes.values())
        if not is_temporary(fault, has_worked):
            raise fault
        state.faults += 1
        state.trouble = str(fault) or type(fault).__name__
        faults = state.faults if is_temporary(fault, False) else MANY_FAULTS
        rest = max(self._retry(faults), requested_pause(fault))
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

    def _run_due_work(self) -> None:
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
            repair = str(getattr(error, "repair", ""))
            log.warning("work_failed", error=str(error), repair=repair, next_try_seconds=round(due))
        else:
            self._faults = 0
        self._due = time.monotonic() + min(self._tick, max(0.0, self._tick if due is None else due))

    def _progress(self) -> None:
        """Notify systemd during a long check, every ten seconds."""
        if time.monotonic() - self._notified_at > 10:
            self._notify_systemd()

    def _notify_systemd(self) -> None:
        """Send the status to systemd, and the watchdog's keep-alive unless a thread is stuck."""
        self._notified_at = time.monotonic()
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
        until = time.monotonic() + CLOSE_SECONDS
        for mailbox in self._mailboxes:
            mailbox.join(until - time.monotonic())
