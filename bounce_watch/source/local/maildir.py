"""A Maildir (https://cr.yp.to/proto/maildir.html): read from new/ and cur/, filed by rename (Maildir++)."""

import errno
import os
import re
import stat
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bounce_watch.model.check import Check
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.interface import (
    MAX_MESSAGE,
    Message,
    MissingFolder,
    Refused,
    Unreachable,
    Wanted,
    everything,
)
from bounce_watch.source.local.base import LocalSource, change_times, select_wanted
from bounce_watch.testing import crash_points

_FOLDER_NAME = re.compile(r"[^\W_][\w &+-]*(?:/[^\W_][\w &+-]*)*")
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NOT_OURS = {errno.ENOENT, errno.ELOOP, errno.EACCES, errno.ENXIO}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    path: Path
    uid: str
    arrived: int


class MaildirSource(LocalSource):
    """One Maildir. `uid` is the file's name without its flags, which mail programs change.

    Without target folders, or without permission to write, nothing is moved.
    """

    def __init__(
        self, path: Path, *, filed_folder: str | None = None, quarantine_folder: str | None = None
    ) -> None:
        self._path = path
        self._filed_folder = filed_folder
        self._quarantine_folder = quarantine_folder
        self._paths: dict[str, Path] = {}
        super().__init__(f"maildir:{path.absolute()}")

    def __enter__(self) -> Self:
        if not (self._path / "cur").is_dir():
            raise MissingFolder(
                f"{self._path} is no Maildir: it has no folder cur", "check path; maildirmake makes one"
            )
        return self

    def _fingerprint(self) -> Hashable:
        # Our own moves change these folders too, which costs one walk.
        return change_times(self._path / "new", self._path / "cur")

    def count(self) -> int | None:
        return len(self._entries())

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        del after
        self._begin_walk()
        found = ((self._location(entry.uid), entry) for entry in self._entries())
        for location, entry in select_wanted(found, wanted):
            yield from self._read(location, entry)

    def _read(self, location: MessageLocation, entry: _Entry) -> Iterator[Message]:
        crash_points.point("maildir.read")
        try:
            raw, size = read_regular(entry.path)
        except OSError as error:
            self._skip(entry, error)
            return
        received_at = datetime.fromtimestamp(entry.arrived / 1e9, UTC)
        yield Message(location=location, raw=raw, size=size, received_at=received_at)

    def _skip(self, entry: _Entry, error: OSError) -> None:
        if error.errno not in _NOT_OURS:
            # Too many open files or an I/O error is not a fault of this message.
            raise Unreachable(
                f"{self._path} cannot be read: {error.strerror}", "check disk and limits"
            ) from error
        # Another program filed or flagged a file that is gone; the next walk finds it.
        if error.errno != errno.ENOENT:
            self.skipped.append((entry.uid, str(error.strerror)))

    def _entries(self) -> list[_Entry]:
        found = [entry for name in ("new", "cur") for entry in self._scan(self._path / name)]
        self._paths = {entry.uid: entry.path for entry in found}
        return sorted(found, key=lambda entry: (entry.arrived, entry.uid))

    def _scan(self, folder: Path) -> Iterator[_Entry]:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        yield _Entry(
                            path=Path(entry.path), uid=uid_of(entry.name), arrived=status.st_mtime_ns
                        )
        except FileNotFoundError:
            # Another program filed a message, or the folder new/ is missing.
            return
        except OSError as error:
            raise Refused(
                f"{folder} cannot be read: {error.strerror}", "let the service's user read the Maildir"
            ) from error

    def file(self, *locations: MessageLocation) -> None:
        for location in locations:
            self._move(location, self._filed_folder)

    def quarantine(self, *locations: MessageLocation) -> None:
        for location in locations:
            self._move(location, self._quarantine_folder)

    def _move(self, location: MessageLocation, folder: str | None) -> None:
        if folder is None or location.mailbox != self.name:
            return
        path = self._find(location.uid)
        if path is None:
            return
        try:
            target = self._make_folder(folder)
            crash_points.point("maildir.move")
            path.rename(_free_name(target / "cur", path.name))
            crash_points.point("maildir.moved")
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in _NOT_ALLOWED:
                raise Unreachable(
                    f"{path.name} cannot be moved to {folder}: {error.strerror}", "check disk and rights"
                ) from error

    def _find(self, uid: str) -> Path | None:
        """Return the current path of a message: mail programs move it to cur/ and change its flags."""
        path = self._paths.get(uid)
        if path is None or not path.exists():
            self._entries()
            path = self._paths.get(uid)
        return path

    def _make_folder(self, name: str) -> Path:
        target = self._path / f".{_checked(name).replace('/', '.')}"
        for part in ("cur", "new", "tmp"):
            (target / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        (target / "maildirfolder").touch(mode=0o600)
        return target

    def diagnose(self) -> list[Check]:
        checks = self._diagnose("Maildir", lambda: f"{self._path} opens and holds {self.count()} messages")
        if checks[0].state == "ok" and not os.access(self._path, os.W_OK | os.X_OK):
            text = f"{self._path} may only be read: reports stay where they are"
            checks.append(Check("Maildir folders", "warning", text, "let the service's user write there"))
        return checks


def _checked(name: str) -> str:
    if not _FOLDER_NAME.fullmatch(name):
        raise MissingFolder(
            f"{name!r} is no folder name", "use letters, digits, spaces and hyphens, with / between folders"
        )
    return name


def uid_of(name: str) -> str:
    """Return a file's name without Maildir flags, as text that can be stored whatever its bytes are."""
    return os.fsencode(name).decode("utf-8", "backslashreplace").partition(":2,")[0]


def _free_name(folder: Path, name: str) -> Path:
    """Return an unused path for a file in cur/, so that a rename never replaces another message."""
    unique, _, flags = name.partition(":2,")
    target, number = folder / f"{unique}:2,{flags}", 1
    while target.exists():
        target, number = folder / f"{unique}-{number}:2,{flags}", number + 1
    return target


def read_regular(path: Path) -> tuple[bytes, int]:
    """Return at most MAX_MESSAGE bytes of a regular file and its size. Raises OSError for other files."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:  # noqa: PTH123 - opened by descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.ENXIO, "not a regular file")
        return stream.read(MAX_MESSAGE), status.st_size
