"""SIGTERM and SIGINT stop, SIGHUP reloads: flags that are looked at between two pieces of work.

A stop has a limit, because a server may keep us waiting: then the work is left where it stands, which
loses nothing, as whatever is half done is found at the next start.
"""

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

HARD_AFTER = 1.5
"""Seconds from the limit to the end by force: some calls of the C library hear no signal."""


class Stopped(SystemExit):
    """Raised in the main thread at the limit of a stop. The program's exit status is 0."""

    def __init__(self) -> None:
        super().__init__(0)


class Stopper:
    """What the signals asked for. `limit` is how many seconds a stop may take at most.

    `wake` is called at each signal, `interrupt` at the limit: it ends what the main thread waits for. Both
    run between two instructions of it and must take no lock, which it may hold.
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
        # The interpreter takes our handlers away before it ends; an alarm then would kill it.
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)
        # A handler runs only between two instructions of the main thread; the bytes come in any case.
        heard, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        threading.Thread(target=self._end_by_force, args=(heard,), name="stopping", daemon=True).start()
        return self

    def reloads(self) -> None:
        """Take SIGHUP as the wish to reload."""
        signal.signal(signal.SIGHUP, self._on_reload)

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Stop as a signal would, without its limit."""
        self._is_set = True
        self.wake()

    def takes_reload(self) -> bool:
        """Tell whether a reload was asked for since the last call."""
        asked, self._reload = self._reload, False
        return asked

    def _on_stop(self, number: int, _: FrameType | None) -> None:
        if self._is_set:
            raise SystemExit(128 + number)  # asked twice: at once
        signal.setitimer(signal.ITIMER_REAL, self.limit)
        self.set()

    def _on_reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reload = True
        self.wake()

    def _on_limit(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupt()
        raise Stopped

    def _end_by_force(self, heard: int) -> None:
        while os.read(heard, 1)[0] not in {signal.SIGTERM, signal.SIGINT}:
            continue
        time.sleep(self.limit + HARD_AFTER)
        os.write(2, b"bounce-watch: stopped by force; the next start goes on where this one was\n")
        os._exit(0)
