"""What sources on this machine share: waiting by polling, and asking which messages are wanted."""

import hashlib
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

from bounce_watch.model.check import Check
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.interface import ASKED_TOGETHER, MAX_MESSAGE, Message, SourceError, Wanted, never

T = TypeVar("T")

STEP_SECONDS = 0.5
"""How soon a request to stop is seen."""


class LocalSource:
    """Base of the sources without a server. It moves nothing, and its messages have no order.

    `skipped` lists what the last walk could not read, with the reason.
    `_before` is the fingerprint of the place when the last walk began.
    """

    reached: MessageLocation | None = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.skipped: list[tuple[str, str]] = []
        self._before = self._fingerprint()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def _diagnose(self, name: str, describe: Callable[[], str]) -> list[Check]:
        """Open the place and describe it."""
        try:
            with self:
                return [Check(name, "ok", describe())]
        except SourceError as error:
            return [Check(name, "failure", str(error), error.repair)]

    def _fingerprint(self) -> Hashable:
        """Return a cheap value that changes when messages are added; None where none are ever added."""
        return None

    def _location(self, uid: str) -> MessageLocation:
        return MessageLocation(mailbox=self.name, validity=0, uid=uid)

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


@dataclass(slots=True)
class StreamedMessage:
    """A message being read: its first MAX_MESSAGE bytes, its length and the hash of all of it."""

    received_at: datetime | None = None
    raw: bytearray = field(default_factory=bytearray)
    size: int = 0
    hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, piece: bytes) -> None:
        self.raw += piece[: max(0, MAX_MESSAGE - len(self.raw))]
        self.size += len(piece)
        self.hash.update(piece)

    def at(self, location: MessageLocation) -> Message:
        """Return the finished message."""
        return Message(location=location, raw=bytes(self.raw), size=self.size, received_at=self.received_at)


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
