"""Mail in files: one .eml, a folder of them, or standard input. Nothing is moved or changed.

What sources without folders have in common: there is nowhere to move a message to."""

import hashlib
import os
import sys
from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from bounce_watch.model.check import Check
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.interface import (
    ASKED_TOGETHER,
    MAX_MESSAGE,
    Message,
    MissingFolder,
    Wanted,
    everything,
    never,
)
from bounce_watch.source.local.maildir import read_regular, uid_of
from bounce_watch.source.local.polling import mark_of, watch


class ReadOnly:
    """Leaves every message where it is. Nothing is skipped unless the source says so.

    `_before` is the mark of the place at the beginning of the last walk.
    """

    skipped: list[tuple[str, str]]
    reached: MessageLocation | None = None

    def __init__(self) -> None:
        self.skipped = []
        self._before = self._mark()

    def __exit__(self, *exc: object) -> None:
        return None

    def _mark(self) -> Hashable:
        """Return something cheap that is another one when mail was added; None where none is ever added."""
        return None

    def wait(self, seconds: float, stop: Callable[[], bool] = never) -> bool:
        return watch(self._mark, self._before, seconds, stop)

    def file(self, *locations: MessageLocation) -> None:
        del locations

    def quarantine(self, *locations: MessageLocation) -> None:
        del locations


_CHUNK = 64 * 1024
_SUFFIXES = {".eml", ".msg", ".txt", ""}


class FilesSource(ReadOnly):
    """One file, or the mails in a folder and its subfolders, sorted by path: .eml, .msg, .txt, no suffix.

    `uid` is the path below the folder. `skipped` lists files of the last walk that could not be read,
    with the reason.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path if path.is_dir() else path.parent
        self._path = path
        self.name = f"files:{self._folder.absolute()}"
        super().__init__()

    def __enter__(self) -> "FilesSource":
        if not self._path.exists():
            raise MissingFolder(f"{self._path} is not there", "check path")
        return self

    def _mark(self) -> Hashable:
        """Look at the folder itself; what comes into its subfolders is found by the next walk."""
        return mark_of(self._path)

    def count(self) -> int | None:
        return sum(1 for _ in self._files())

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        del after
        self.skipped = []
        self._before = self._mark()
        files = self._files()
        while some := {self._location(path): path for path in islice(files, ASKED_TOGETHER)}:
            needed = set(wanted(list(some)))
            for location, path in some.items():
                if location in needed:
                    yield from self._read(path, location)

    def _location(self, path: Path) -> MessageLocation:
        return MessageLocation(mailbox=self.name, validity=0, uid=uid_of(str(path.relative_to(self._folder))))

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
        for folder, subfolders, names in os.walk(self._path, onerror=self._note):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(names):
                if not name.startswith(".") and Path(name).suffix.lower() in _SUFFIXES:
                    yield Path(folder, name)

    def _note(self, error: OSError) -> None:
        self.skipped.append((str(error.filename), str(error.strerror)))

    def diagnose(self) -> list[Check]:
        try:
            with self:
                return [Check("files", "ok", f"{self._path} holds {self.count()} messages")]
        except MissingFolder as error:
            return [Check("files", "failure", str(error), error.repair)]


class StandardInput(ReadOnly):
    """One message from standard input; `uid` is the hash of its content."""

    def __init__(self, stream: Callable[[], BinaryIO] = lambda: sys.stdin.buffer) -> None:
        super().__init__()
        self.name = "stdin:"
        self._stream = stream

    def __enter__(self) -> "StandardInput":
        return self

    def count(self) -> int | None:
        return 1

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        del after
        stream = self._stream()
        digest = hashlib.sha256()
        raw, size = bytearray(), 0
        while piece := stream.read(_CHUNK):
            raw += piece[: max(0, MAX_MESSAGE - len(raw))]
            size += len(piece)
            digest.update(piece)
        location = MessageLocation(mailbox=self.name, validity=0, uid=digest.hexdigest())
        if size and wanted([location]):
            yield Message(location=location, raw=bytes(raw), size=size, received_at=None)

    def diagnose(self) -> list[Check]:
        return [Check("standard input", "ok", "one message is read from standard input")]
