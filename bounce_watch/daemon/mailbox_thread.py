"""One mailbox with a thread of its own, which does nothing but connect and wait.

The source belongs to the thread or to the loop, never to both: it is handed over and given back.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bounce_watch.source.interface import Source

PATIENCE = 600.0
"""Seconds by which connecting or waiting may take longer than asked before the thread counts as stuck."""


class MailboxOutcome(StrEnum):
    """What a look found. `halfway`: the mailbox is large, and the next look goes on at once."""

    NOTHING = "nothing"
    NEW = "new"
    HALFWAY = "halfway"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTask:
    """What the thread does next: hang up, rest, and then connect, or wait for mail on what is open."""

    hang_up: bool = False
    rest: float = 0.0
    wait: float = 0.0


class MailboxThread:
    """A source that is kept open. `label` is what people call it."""

    def __init__(self, label: str, source: Source) -> None:
        self.label = label
        self.source = source
        self._orders: queue.SimpleQueue[NextTask | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_open = False
        self._due_back = float("inf")

    def start(self, hand_over: "Callable[[MailboxThread, Exception | None], None]") -> None:
        """Connect in a thread. `hand_over` is called there: with None the source is open and may be used."""
        name = f"mailbox {self.label}"
        self._thread = threading.Thread(target=self._run, args=(hand_over,), name=name, daemon=True)
        self._thread.start()
        self.give_back(NextTask())

    def give_back(self, order: NextTask) -> None:
        """Let the thread have the source again."""
        self._due_back = time.monotonic() + order.rest + order.wait + PATIENCE
        self._orders.put(order)

    @property
    def is_stuck(self) -> bool:
        """Tell whether the thread should have handed over long ago."""
        return time.monotonic() > self._due_back

    def close(self) -> None:
        """Tell the thread to hang up and end; it is not waited for."""
        self._closing.set()
        self._orders.put(None)

    def join(self, seconds: float) -> None:
        """Wait so long until the thread has hung up."""
        if self._thread is not None:
            self._thread.join(max(0.0, seconds))

    def _run(self, hand_over: "Callable[[MailboxThread, Exception | None], None]") -> None:
        while not self._closing.is_set() and (order := self._orders.get()) is not None:
            try:
                self._follow(order)
            except Exception as fault:  # noqa: BLE001 - the loop judges it
                hand_over(self, fault)
            else:
                hand_over(self, None)
        self._hang_up()

    def _follow(self, order: NextTask) -> None:
        if order.hang_up:
            self._hang_up()
        if order.rest and self._closing.wait(order.rest):
            return
        if not self._is_open:
            self.source.__enter__()
            self._is_open = True
        elif order.wait:
            self.source.wait(order.wait, self._closing.is_set)

    def _hang_up(self) -> None:
        if self._is_open:
            self._is_open = False
            self.source.__exit__(None, None, None)
