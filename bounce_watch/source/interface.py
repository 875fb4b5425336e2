"""What every mail source does. A contract test runs over all of them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from bounce_watch.model.check import Check
from bounce_watch.model.errors import RepairableError
from bounce_watch.model.message_location import MessageLocation

MAX_MESSAGE = 2 * 1024 * 1024
"""Bytes read of one message; a longer one is cut there."""


class SourceError(RepairableError):
    """Base of all faults of a source.

    SourceError
    ├── Unreachable      temporary: network, server down, throttled; try again later
    │   └── SessionEnded     the server ended the session, as it does regularly; sign in again
    ├── Refused          sign-in or permission refused: an admin must fix it
    └── MissingFolder    the folder does not exist and could not be created
    """


class Unreachable(SourceError):
    """The source cannot be reached now. Nothing was lost.

    `retry_after` is how many seconds the server asks us to wait, None when it does not say.
    """

    def __init__(
        self,
        message: str,
        repair: str = "",
        commands: tuple[str, ...] = (),
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, repair, commands)
        self.retry_after = retry_after


MAX_REQUESTED_PAUSE = 3600.0
"""Longest pause in seconds that a server can ask for."""


def requested_pause(fault: Exception) -> float:
    """Return the seconds that a server asks us to wait, 0 if it does not."""
    return min(float(getattr(fault, "retry_after", None) or 0), MAX_REQUESTED_PAUSE)


class SessionEnded(Unreachable):
    """The server ended the session, because a token expired or a permission changed."""


class Refused(SourceError):
    """The server refused the sign-in or the permission."""


class MissingFolder(SourceError):
    """A folder is missing and could not be created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it is in the source.

    `raw` is at most MAX_MESSAGE bytes. `size` is the length of the whole message.
    `received_at` is when it arrived in the mailbox (INTERNALDATE, file time) in UTC, None if unknown.
    `is_partial`: `raw` ends before the last attachments, which no reader needs; the server stated `size`.
    """

    location: MessageLocation
    raw: bytes
    size: int
    received_at: datetime | None
    is_partial: bool = False


Wanted = Callable[[Sequence[MessageLocation]], Collection[MessageLocation]]
"""Returns those of the given messages whose content is needed."""

ASKED_TOGETHER = 500
"""Maximum number of messages per call of `wanted`."""


def everything(locations: Sequence[MessageLocation]) -> Sequence[MessageLocation]:
    return locations


def never() -> bool:
    """Never stop: the default of `stop`."""
    return False


def no_progress(*_: object) -> None:
    """Report nothing: the default of `progress`."""


class Source(Protocol):
    """A mailbox to read from. Use as a context manager; entering signs in.

    `file` and `quarantine` move messages and may be repeated: a message that is gone counts as moved.
    They do nothing in a source without folders (a single file, standard input).
    """

    name: str

    @property
    def skipped(self) -> Sequence[tuple[str, str]]:
        """What the last walk could not read: where it is, as far as known, and the reason."""

    def __enter__(self) -> "Source": ...
    def __exit__(self, *exc: object) -> None: ...

    def count(self) -> int | None:
        """Return the number of messages, None if it is not known beforehand."""

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        """Yield the messages in the watched folder, oldest first, without changing any.

        `wanted` is called before content is fetched, so that messages that stay in the folder
        (newsletters among the reports) are not downloaded in every walk.
        `after` is what an earlier walk reached. Where messages have an order, earlier ones are not listed.
        """

    @property
    def reached(self) -> MessageLocation | None:
        """The last message of the last walk; None if the walk did not end or messages have no order."""

    def file(self, *locations: MessageLocation) -> None:
        """Move messages to the filed folder after their rows are committed; many at once are cheaper."""

    def quarantine(self, *locations: MessageLocation) -> None:
        """Move messages that could not be read to the quarantine folder."""

    def wait(self, seconds: float, stop: Callable[[], bool] = never) -> bool:
        """Wait, after a walk, until new messages may be there; return False when the time is over.

        `stop` is called about twice a second and ends the wait too. The result is only a hint: walk
        from time to time in any case. Raises Unreachable for a dead connection, which the next walk reopens.
        """

    def diagnose(self) -> list[Check]:
        """Test every step without changing anything. Works outside `with`; never raises SourceError."""


@runtime_checkable
class SupportsPartialFetch(Protocol):
    """A source that can fetch the part of a message that shows whether it is a report."""

    def partial_messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        """Yield what `messages` does, some of them partial.

        A partial message is enough if it is not a report. Otherwise fetch all of it and read it again.
        """

    def fetch_whole(self, message: Message) -> Message | None:
        """Fetch all of a partial message; None if it is gone."""
