"""What sources on this machine share: waiting by polling, and asking which messages are wanted."""

import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.interface import ASKED_TOGETHER, Wanted, never

T = TypeVar("T")

STEP_SECONDS = 0.5
"""How soon a request to stop is seen."""


class LocalSource:
    """Base of the sources without a server. It moves nothing, and its messages have no order.

    `skipped` lists what the last walk could not read, with the reason.
    `_before` is the fingerprint of the place when the last walk began.
    """

    reached: MessageLocation | None = None

    def __init__(self) -> None:
        self.skipped: list[tuple[str, str]] = []
        self._before = self._fingerprint()

    def __exit__(self, *exc: object) -> None:
        return None

    def _fingerprint(self) -> Hashable:
        """Return a cheap value that changes when messages are added; None where none are ever added."""
        return None

    def _begin_walk(self) -> None:
        self.skipped = []
        self._before = self._fingerprint()

    def wait(self, seconds: float, stop: Callable[[], bool] = never) -> bool:
        """Wait until the fingerprint changes (True), the time is over or `stop` (False)."""
        if self._fingerprint() != self._before:
            return True
        for step in steps(seconds, stop):
            time.sleep(step)
            if self._fingerprint() != self._before:
                return True
        return False

    def file(self, *locations: MessageLocation) -> None:
        """Leave the messages where they are."""

    def quarantine(self, *locations: MessageLocation) -> None:
        """Leave the messages where they are."""


def select_wanted(
    found: Iterable[tuple[MessageLocation, T]], wanted: Wanted
) -> Iterator[tuple[MessageLocation, T]]:
    """Yield what is wanted of the messages that were found, asking about many at a time."""
    remaining = iter(found)
    while chunk := dict(islice(remaining, ASKED_TOGETHER)):
        needed = set(wanted(list(chunk)))
        yield from ((location, entry) for location, entry in chunk.items() if location in needed)


def steps(seconds: float, stop: Callable[[], bool]) -> Iterator[float]:
    """Yield the length in seconds of one short step after another, until the time is over or `stop`."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not stop():
        yield min(left, STEP_SECONDS)


def change_times(*paths: Path) -> tuple[tuple[int, int] | None, ...]:
    """Return time of change and size of each path, None for a path that cannot be read."""
    return tuple(_change_time(path) for path in paths)


def _change_time(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
