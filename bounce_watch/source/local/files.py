"""Messages in files: one .eml, a folder of them, or standard input. Nothing is moved or changed."""

import os
import sys
from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

from bounce_watch.model.check import Check
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.interface import Message, MissingFolder, Wanted, everything
from bounce_watch.source.local.base import LocalSource, StreamedMessage, change_times, select_wanted
from bounce_watch.source.local.maildir import read_regular, uid_of

_CHUNK = 64 * 1024
_SUFFIXES = {".eml", ".msg", ".txt", ""}


class FilesSource(LocalSource):
    """One file, or the messages in a folder and its subfolders, sorted by path: .eml, .msg, .txt, no suffix.

    `uid` is the path below the folder.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path if path.is_dir() else path.parent
        self._path = path
        super().__init__(f"files:{self._folder.absolute()}")

    def __enter__(self) -> Self:
        if not self._path.exists():
            raise MissingFolder(f"{self._path} is not there", "check path")
        return self

    def _fingerprint(self) -> Hashable:
        # Only the folder itself; the next walk finds what was added to its subfolders.
        return change_times(self._path)

    def count(self) -> int | None:
        return sum(1 for _ in self._files())

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        del after
        self._begin_walk()
        names = ((uid_of(str(path.relative_to(self._folder))), path) for path in self._files())
        for location, path in select_wanted(((self._location(uid), path) for uid, path in names), wanted):
            yield from self._read(path, location)

    def _read(self, path: Path, location: MessageLocation) -> Iterator[Message]:
        try:
            raw, size = read_regular(path.resolve() if path == self._path else path)
            arrived = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError as error:
            self.skipped.append((location.uid, str(error.strerror)))
            return
        yield Message(location=location, raw=raw, size=size, received_at=arrived)

    def _files(self) -> Iterator[Path]:
        if not self._path.is_dir():
            yield self._path
            return
        for folder, subfolders, names in os.walk(self._path, onerror=self._skip_folder):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(names):
                if not name.startswith(".") and Path(name).suffix.lower() in _SUFFIXES:
                    yield Path(folder, name)

    def _skip_folder(self, error: OSError) -> None:
        self.skipped.append((str(error.filename), str(error.strerror)))

    def diagnose(self) -> list[Check]:
        return self._diagnose("files", lambda: f"{self._path} holds {self.count()} messages")


class StandardInput(LocalSource):
    """One message from standard input; `uid` is the hash of its content."""

    def __init__(self, stream: Callable[[], BinaryIO] = lambda: sys.stdin.buffer) -> None:
        super().__init__("stdin:")
        self._stream = stream

    def count(self) -> int | None:
        return 1

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        del after
        stream, read = self._stream(), StreamedMessage()
        while piece := stream.read(_CHUNK):
            read.add(piece)
        location = self._location(read.hash.hexdigest())
        if read.size and wanted([location]):
            yield read.at(location)

    def diagnose(self) -> list[Check]:
        return [Check("standard input", "ok", "one message is read from standard input")]
