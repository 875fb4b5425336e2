"""Which faults are temporary, and how long to wait until the next attempt."""

import random

MAX_PAUSE = 300.0
"""Longest pause in seconds, before jitter."""
MANY_FAULTS = 100
"""Number of faults in a row at which the pause is at its maximum."""


def back_off(faults: int) -> float:
    """Return the seconds to wait after a number of faults in a row: 5, 10, 20, ... 300, with jitter."""
    return min(MAX_PAUSE, 5.0 * (1 << min(faults - 1, 10))) * random.uniform(0.8, 1.2)  # noqa: S311


def is_temporary(error: Exception, worked: bool) -> bool:
    """Tell whether a fault may end without a fix: network, server, disk, memory, a lock.

    `worked`: it worked before with the same settings, so a refusal may be temporary too.
    """
    from bounce_watch.config.secrets import SecretError
    from bounce_watch.sandbox.outcome import ReaderUnavailable
    from bounce_watch.source.interface import SourceError, Unreachable
    from bounce_watch.store import StoreTemporary

    passing = (Unreachable, StoreTemporary, ReaderUnavailable, OSError, MemoryError)
    return isinstance(error, passing) or (worked and isinstance(error, (SourceError, SecretError)))
