"""The service: one cycle after another until told to stop.

Speaks systemd's notify protocol (sd_notify(3)): ready, status, watchdog fed by finished cycles, stopping.
"""

import os
import random
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType

import structlog

log = structlog.get_logger()


def notify(state: str) -> None:
    """Tell systemd a state; do nothing when it did not start us."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.sendto(state.encode(), address)


class Stopper:
    """Turns SIGTERM and SIGINT into a flag that is looked at between two messages."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def install(self) -> "Stopper":
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self._event.is_set():
            raise SystemExit(128 + number)  # asked twice: at once
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until told to stop."""
        self._event.wait(seconds)


LONGEST_PAUSE = 300.0
IDLE = "nothing new"
"""The status line of a cycle that need not be logged."""


def back_off(faults: int) -> float:
    """Return the seconds to wait after so many faults in a row: 5, 10, 20, ... with jitter, at most 300."""
    return min(LONGEST_PAUSE, 5.0 * (1 << min(faults - 1, 10))) * random.uniform(0.8, 1.2)  # noqa: S311


def serve(cycle: Callable[[], str], stopper: Stopper, *, pause: float, retry: Callable[[int], float]) -> None:
    """Run cycles until stopped. `cycle` returns a status line; what may pass is retried with back-off.

    `retry` gives the pause in seconds after so many faults in a row. What only a person can repair is
    raised, unless a cycle went well before: then somebody is at work on the server, and it is tried again
    at the longest pause, so that a refused sign-in locks no account.
    """
    notify("READY=1")
    log.info("started", poll_seconds=pause)
    faults, worked = 0, False
    while not stopper.is_set():
        try:
            status, wait, faults, worked = cycle(), pause, 0, True
            if status != IDLE:
                log.info("looked", status=status)
        except Exception as error:
            if not may_pass(error, worked):
                raise
            faults += 1
            status, wait = f"waiting: {error}", retry(faults if may_pass(error, False) else _MANY_FAULTS)
            repair = str(getattr(error, "repair", ""))
            log.warning("cycle_failed", error=str(error), repair=repair, next_try_seconds=round(wait))
        notify(f"WATCHDOG=1\nSTATUS={status[:200]}")
        stopper.wait(wait)
    notify("STOPPING=1")
    log.info("stopped")


_MANY_FAULTS = 100
"""So many faults in a row that every back-off is at its longest."""


def may_pass(error: Exception, worked: bool) -> bool:
    """Tell whether to wait for the end of a fault: network, server, disk, memory, another's lock.

    `worked`: a cycle went well before, so that what a server refuses now was right once.
    """
    from bounce_watch.config.secrets import SecretError
    from bounce_watch.reading.outcome import ReaderUnavailable
    from bounce_watch.source.interface import SourceError, Unreachable
    from bounce_watch.store import StoreTemporary

    passing = (Unreachable, StoreTemporary, ReaderUnavailable, OSError, MemoryError)
    return isinstance(error, passing) or (worked and isinstance(error, (SourceError, SecretError)))
