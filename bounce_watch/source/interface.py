"""What every mail source does. A contract test runs over all of them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from bounce_watch.model.check import Check
from bounce_watch.model.message_location import MessageLocation

MAX_MESSAGE = 2 * 1024 * 1024
"""Bytes read of one message; what is longer is cut there."""


class SourceError(Exception):
    """Base of all faults of a source. `commands` are lines of PowerShell that repair it.

    SourceError
    ├── Unreachable      temporary: network, server down, throttled; try again later
    │   └── SessionEnded     the server ended the session as a matter of course; sign in anew
    ├── Refused          sign-in or permission refused: a person must repair it
    └── MissingFolder    the folder is not there and could not be created
    """

    def __init__(self, message: str, repair: str = "", commands: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.repair = repair
        self.commands = commands


class Unreachable(SourceError):
    """The source cannot be reached now; nothing was lost, try again later.

    `retry_after` is how many seconds the server asks to wait, None when it does not say.
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
"""Tells of some messages whose content is needed."""

ASKED_TOGETHER = 500
"""Messages that a source asks about at a time, at most."""


def everything(locations: Sequence[MessageLocation]) -> Sequence[MessageLocation]:
    return locations


def never() -> bool:
    """Never stop: the default of `stop`."""
    return False


def no_progress(*_: object) -> None:
    """Report nothing: the default of `progress`."""


class Source(Protocol):
    """A mailbox that can be walked. Use as a context manager; entering signs in.

    `file` and `quarantine` move messages away and may be repeated: a message that is gone is done.
    A source without folders (a single file, standard input) does nothing there.
    """

    name: str

    @property
    def skipped(self) -> Sequence[tuple[str, str]]:
        """What the last walk could not read: its place as far as known, and the reason."""

    def __enter__(self) -> "Source": ...
    def __exit__(self, *exc: object) -> None: ...

    def count(self) -> int | None:
        """Return how many messages wait, None when that is not known beforehand."""

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        """Yield the messages in the watched folder, oldest first, without changing any.

        `wanted` is asked before messages' content is fetched: what stays in the folder for good
        (newsletters among the reports) is not downloaded again at every look.
        `after` is what an earlier walk reached: where places have order, what lies before it is not listed.
        """

    @property
    def reached(self) -> MessageLocation | None:
        """The place up to which the last walk saw all; None when it did not end or places have no order."""

    def file(self, *locations: MessageLocation) -> None:
        """Move messages whose reading is committed to the filed folder; many at once cost a server less."""

    def quarantine(self, *locations: MessageLocation) -> None:
        """Move messages that could not be read to the quarantine folder."""

    def wait(self, seconds: float, stop: Callable[[], bool] = never) -> bool:
        """Wait on the opened source until something new may be there; call it after a walk.

        False when the time is over or `stop` says so, which is asked about twice a second. A hint only: walk
        now and then in any case. Raises Unreachable when the connection is found dead; the next walk opens it
        anew.
        """

    def diagnose(self) -> list[Check]:
        """Test every step without changing anything. Works outside of `with`; never raises SourceError."""


@runtime_checkable
class SupportsPartialFetch(Protocol):
    """A source from which a mail need not be downloaded whole to see that it is no report."""

    def partial_messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        """Yield what `messages` does, some as their heads: enough for what reads as no report.

        What reads as anything else is fetched `fetch_whole` and read again.
        """

    def fetch_whole(self, message: Message) -> Message | None:
        """Fetch a message of which the head was given; None when it is gone."""
