"""What comes of reading a message under limits: its readings, or that it overran one."""

from dataclasses import dataclass
from enum import StrEnum

from bounce_watch.model import Reading


class Limit(StrEnum):
    """What a message used up. `crash`: the reading process died of it (a fault in native code)."""

    CPU = "cpu"
    WALL = "wall"
    MEMORY = "memory"
    CRASH = "crash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one message may cost. `start_seconds` bounds the start of the process itself."""

    cpu_seconds: int = 5
    wall_seconds: float = 5.0
    memory_bytes: int = 512 * 1024 * 1024
    start_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun:
    """The message's own fault: the same bytes will fail again. `reason` is one clause for people."""

    limit: Limit
    reason: str


Outcome = tuple[Reading, ...] | Overrun
"""All readings of one message, or why there are none."""


class ReaderUnavailable(Exception):
    """The machine cannot give us a reading process now: no memory, no processes, no open files.

    Says nothing about the message: try again later, never count it.
    """

    repair = "free memory or raise the limits of processes and open files; then it goes on by itself"
