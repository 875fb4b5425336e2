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
    """Run cycles until stopped. `cycle` returns a status line; a temporary fault is retried with back-off.

    `retry` gives the pause in seconds after so many faults in a row. Permanent faults are raised.
    """
    from bounce_watch.reading.outcome import ReaderUnavailable
    from bounce_watch.source.interface import Unreachable
    from bounce_watch.store import StoreBusy

    notify("READY=1")
    log.info("started", poll_seconds=pause)
    faults = 0
    while not stopper.is_set():
        try:
            status, wait, faults = cycle(), pause, 0
            if status != IDLE:
                log.info("looked", status=status)
        except (Unreachable, StoreBusy, ReaderUnavailable) as error:
            faults += 1
            status, wait = f"waiting: {error}", retry(faults)
            repair = str(getattr(error, "repair", ""))
            log.warning("cycle_failed", error=str(error), repair=repair, next_try_seconds=round(wait))
        notify(f"WATCHDOG=1\nSTATUS={status[:200]}")
        stopper.wait(wait)
    notify("STOPPING=1")
    log.info("stopped")
