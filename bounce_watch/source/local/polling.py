"""Wait for new mail where nobody tells of it: look at something cheap in short steps."""

import time
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path

STEP_SECONDS = 0.5
"""How soon a wish to stop is seen."""


def steps(seconds: float, stop: Callable[[], bool]) -> Iterator[float]:
    """Yield the length in seconds of one short step after another, until the time is over or `stop`."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not stop():
        yield min(left, STEP_SECONDS)


def watch(mark: Callable[[], Hashable], before: Hashable, seconds: float, stop: Callable[[], bool]) -> bool:
    """Wait until a mark is no more what it was before (True), the time is over or `stop` (False)."""
    if mark() != before:
        return True
    for step in steps(seconds, stop):
        time.sleep(step)
        if mark() != before:
            return True
    return False


def mark_of(*paths: Path) -> tuple[tuple[int, int] | None, ...]:
    """Return time of change and size of each path, None for one that cannot be looked at."""
    return tuple(_mark(path) for path in paths)


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
