"""SIGTERM and SIGINT stop, SIGHUP reloads: the work checks these flags between two steps.

A stop has a time limit, because a server may keep us waiting. At the limit the work is interrupted, which
loses nothing: the next start finds and continues what is half done.
"""

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

FORCE_AFTER = 1.5
"""Seconds from the limit to the end by force: some C library calls cannot be interrupted."""


class StopTimeout(SystemExit):
    """Raised in the main thread when a stop takes too long. The program's exit status is 0."""

    def __init__(self) -> None:
        super().__init__(0)


class Stopper:
    """Requests by signal. `limit` is the maximum of seconds that a stop may take.

    `wake` is called at each signal. `interrupt` is called at the limit and ends what the main thread waits
    for. Both run inside the main thread, which may hold any lock, so they must not take one.
    """

    def __init__(self, limit: float = 7.0) -> None:
        self.limit = limit
        self.wake: Callable[[], None] = lambda: None
        self.interrupt: Callable[[], None] = lambda: None
        self._is_set = False
        self._reload = False

    def install(self) -> "Stopper":
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGALRM, self._on_limit)
        # The interpreter removes our handlers before it exits; an alarm then would kill it.
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)
        # A handler runs only between two instructions of the main thread; the pipe is written in any case.
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        threading.Thread(target=self._end_by_force, args=(read_end,), name="stopping", daemon=True).start()
        return self

    def accept_reload(self) -> None:
        """Take SIGHUP as a request to reload."""
        signal.signal(signal.SIGHUP, self._on_reload)

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Request a stop without a time limit."""
        self._is_set = True
        self.wake()

    def take_reload_request(self) -> bool:
        """Tell whether a reload was requested since the last call."""
        asked, self._reload = self._reload, False
        return asked

    def _on_stop(self, number: int, _: FrameType | None) -> None:
        if self._is_set:
            raise SystemExit(128 + number)  # a second request ends at once
        signal.setitimer(signal.ITIMER_REAL, self.limit)
        self.set()

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reload = True
        self.wake()

    def _on_limit(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupt()
        raise StopTimeout

    def _end_by_force(self, read_end: int) -> None:
        while os.read(read_end, 1)[0] not in {signal.SIGTERM, signal.SIGINT}:
            continue
        time.sleep(self.limit + FORCE_AFTER)
        os.write(2, b"bounce-watch: stopped by force; the next start goes on where this one was\n")
        os._exit(0)
