"""An mbox file (RFC 4155, mboxrd quoting): read as a stream, never changed."""

import re
import time
from collections.abc import Hashable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from bounce_watch.model.check import Check
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.interface import Message, MissingFolder, Refused, Wanted, everything
from bounce_watch.source.local.base import LocalSource, StreamedMessage, change_times

_CHUNK = 64 * 1024

# Body lines begin with "From " too if the writer does not quote them, so the date must match as well.
_FROM_LINE = re.compile(
    rb"From [^\r\n]{0,998}?"
    rb"((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}(?::[0-9]{2})?)"
    rb"[^\r\n]{0,40}? ?([0-9]{4})[^\r\n]{0,40}\r?\n"
)
_QUOTED_FROM = re.compile(rb">+From ")


class MboxSource(LocalSource):
    """One mbox file. `uid` is the hash of a message's content, so it stays the same in every walk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__(f"mbox:{path.absolute()}")

    def __enter__(self) -> Self:
        with self._open():
            return self

    def _open(self) -> BinaryIO:
        try:
            return self._path.open("rb")
        except FileNotFoundError as error:
            raise MissingFolder(f"{self._path} is not there", "check path") from error
        except OSError as error:
            raise Refused(
                f"{self._path} cannot be read: {error.strerror}", "let the service's user read it"
            ) from error

    def count(self) -> int | None:
        return None

    def _fingerprint(self) -> Hashable:
        return change_times(self._path)

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        del after
        self._begin_walk()
        with self._open() as stream:
            for collected in _split(stream):
                location = self._location(collected.hash.hexdigest())
                if wanted([location]):
                    yield collected.at(location)

    def diagnose(self) -> list[Check]:
        return self._diagnose("mbox", lambda: f"{self._path} can be read; it is never changed")


def is_from_line(line: bytes) -> bool:
    """Tell whether a line begins a message: `From `, a sender and a date as asctime writes it."""
    return _FROM_LINE.match(line) is not None


def _split(stream: BinaryIO) -> Iterator[StreamedMessage]:
    """Yield the messages of an mbox. The empty line before a From_ line belongs to neither message."""
    current: StreamedMessage | None = None
    empty_line = b""
    at_line_start = after_empty = True
    while line := stream.readline(_CHUNK):
        begins = _FROM_LINE.match(line) if at_line_start and after_empty else None
        if begins:
            if current is not None:
                yield current
            current = StreamedMessage(received_at=_date_of(begins))
        elif current is not None:
            current.add(empty_line)
            current.add(b"" if _is_empty(line, at_line_start) else _unquoted(line, at_line_start))
        empty_line = line if not begins and _is_empty(line, at_line_start) else b""
        after_empty = bool(empty_line)
        at_line_start = line.endswith(b"\n")
    if current is not None:
        yield current


def _is_empty(line: bytes, at_line_start: bool) -> bool:
    return at_line_start and line in {b"\n", b"\r\n"}


def _unquoted(line: bytes, at_line_start: bool) -> bytes:
    return line[1:] if at_line_start and _QUOTED_FROM.match(line) else line


def _date_of(from_line: re.Match[bytes]) -> datetime | None:
    """Return the date of a From_ line, which is UTC (RFC 4155)."""
    stamp, year = from_line[1].decode("ascii"), from_line[2].decode("ascii")
    form = "%a %b %d %H:%M:%S %Y" if stamp.count(":") == 2 else "%a %b %d %H:%M %Y"
    try:
        parsed = time.strptime(f"{stamp} {year}", form)
    except ValueError:
        return None
    return datetime(*parsed[:5], min(parsed.tm_sec, 59), tzinfo=UTC)
