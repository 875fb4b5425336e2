"""The result of reading a message under limits: its readings, or the limit that it exceeded."""

from dataclasses import dataclass
from enum import StrEnum

from bounce_watch.model import Reading


class Limit(StrEnum):
    """The limit that a message exceeded. `crash`: the reading process died (an error in native code).

    `starved`: the time was over, but the process got hardly any of it, so the message is not at fault.
    """

    CPU = "cpu"
    WALL = "wall"
    MEMORY = "memory"
    CRASH = "crash"
    STARVED = "starved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits for one message. `start_seconds` limits the start of the process."""

    cpu_seconds: int = 5
    wall_seconds: float = 5.0
    memory_bytes: int = 512 * 1024 * 1024
    start_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun:
    """A message exceeded a limit, and will do so again unless starved. `reason` is one clause for people."""

    limit: Limit
    reason: str


Outcome = tuple[Reading, ...] | Overrun
"""All readings of one message, or the reason for having none."""


class ReaderUnavailable(Exception):
    """No reading process can be started now: no memory, no processes, no open files.

    The message is not at fault; it is tried again later.
    """

    repair = "free memory or raise the limits of processes and open files; then it goes on by itself"
