"""What single facts about the store mean, once they are read."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Sending is stopped: the server refused our sign-in or our right to send, not a mail."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A mailbox cannot be read. `why` is the newest reason; `is_told`: the admins have a mail about it."""

    since: datetime
    why: str
    is_told: bool = False


def trouble_of(noted: str) -> Trouble:
    """Return what was noted of a mailbox: when it began, whether it was told, and why."""
    since, is_told, why = noted.split(" ", 2)
    return Trouble(since=datetime.fromisoformat(since), why=why, is_told=is_told == "told")


def time_of(value: str | None) -> datetime | None:
    """Return a noted time, None where none was noted."""
    return None if value is None else datetime.fromisoformat(value)
