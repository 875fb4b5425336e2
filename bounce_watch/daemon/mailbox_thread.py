"""One mailbox with a thread of its own, which only connects and waits.

The thread hands the source over to the loop, which gives it back, so that both never use it at once.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bounce_watch.source.interface import Source

STUCK_AFTER = 600.0
"""Seconds by which connecting or waiting may take too long before the thread counts as stuck."""


class MailboxOutcome(StrEnum):
    """The result of checking a mailbox. PARTLY_READ: it is large, and the next check continues at once."""

    NOTHING = "nothing"
    NEW = "new"
    PARTLY_READ = "partly read"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTask:
    """What the thread does next: hang up, pause, then connect or wait for mail. Times are in seconds."""

    hang_up: bool = False
    rest: float = 0.0
    wait: float = 0.0


class MailboxThread:
    """A source that is kept open. `label` is its name for people."""

    def __init__(self, label: str, source: Source) -> None:
        self.label = label
        self.source = source
        self._tasks: queue.SimpleQueue[NextTask | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_open = False
        self._due_back = float("inf")

    def start(self, hand_over: "Callable[[MailboxThread, Exception | None], None]") -> None:
        """Connect in a thread. It calls `hand_over`: with None when the source is open, or with a fault."""
        name = f"mailbox {self.label}"
        self._thread = threading.Thread(target=self._run, args=(hand_over,), name=name, daemon=True)
        self._thread.start()
        self.give_back(NextTask())

    def give_back(self, task: NextTask) -> None:
        self._due_back = time.monotonic() + task.rest + task.wait + STUCK_AFTER
        self._tasks.put(task)

    @property
    def is_stuck(self) -> bool:
        """Tell whether the thread should have handed the source over long ago."""
        return time.monotonic() > self._due_back

    def close(self) -> None:
        """Tell the thread to hang up and end; do not wait for it."""
        self._closing.set()
        self._tasks.put(None)

    def join(self, seconds: float) -> None:
        """Wait up to so many seconds until the thread has ended."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))

    def _run(self, hand_over: "Callable[[MailboxThread, Exception | None], None]") -> None:
        while not self._closing.is_set() and (task := self._tasks.get()) is not None:
            try:
                self._perform(task)
            except Exception as fault:  # noqa: BLE001 - the loop handles it
                hand_over(self, fault)
            else:
                hand_over(self, None)
        self._hang_up()

    def _perform(self, task: NextTask) -> None:
        if task.hang_up:
            self._hang_up()
        if task.rest and self._closing.wait(task.rest):
            return
        if not self._is_open:
            self.source.__enter__()
            self._is_open = True
        elif task.wait:
            self.source.wait(task.wait, self._closing.is_set)

    def _hang_up(self) -> None:
        if self._is_open:
            self._is_open = False
            self.source.__exit__(None, None, None)
