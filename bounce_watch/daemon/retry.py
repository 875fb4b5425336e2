"""Which faults pass by themselves, and how long to wait until the next attempt."""

import random

MAX_PAUSE = 300.0
MANY = 100
"""So many faults in a row that every back-off is at its longest."""

MAX_REQUESTED_PAUSE = 3600.0
"""A server that asks for a longer pause is asked again after so many seconds."""


def back_off(faults: int) -> float:
    """Return the seconds to wait after so many faults in a row: 5, 10, 20, ... with jitter, at most 300."""
    return min(MAX_PAUSE, 5.0 * (1 << min(faults - 1, 10))) * random.uniform(0.8, 1.2)  # noqa: S311


def is_temporary(error: Exception, worked: bool) -> bool:
    """Tell whether to wait for the end of a fault: network, server, disk, memory, another's lock.

    `worked`: it went well before, so that what a server refuses now was right once.
    """
    from bounce_watch.config.secrets import SecretError
    from bounce_watch.sandbox.outcome import ReaderUnavailable
    from bounce_watch.source.interface import SourceError, Unreachable
    from bounce_watch.store import StoreTemporary

    passing = (Unreachable, StoreTemporary, ReaderUnavailable, OSError, MemoryError)
    return isinstance(error, passing) or (worked and isinstance(error, (SourceError, SecretError)))


def requested_pause(error: Exception) -> float:
    """Return how long a server asks us to stay away, in seconds; 0 when it does not."""
    return min(float(getattr(error, "retry_after", None) or 0), MAX_REQUESTED_PAUSE)
