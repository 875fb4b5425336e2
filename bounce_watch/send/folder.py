"""Write messages to a folder instead of sending them: for trials and the demo."""

import os
import re
import tempfile
from collections.abc import Collection
from pathlib import Path

from bounce_watch.model.address import is_deliverable
from bounce_watch.model.check import Check
from bounce_watch.send.interface import Delivery, Outcome
from bounce_watch.testing import crash_points

_NUMBERED = re.compile(r"([0-9]{4,9})-[a-z]+\.eml", re.ASCII)
_ID = re.compile(rb"^X-Bounce-Watch-ID: ([0-9a-z.]{1,80})\r$", re.MULTILINE)
_KIND = re.compile(rb"^X-Bounce-Watch-Kind: ([a-z]{1,20})\r$", re.MULTILINE)


class FolderSender:
    """Writes `NNNN-<kind>.eml`, each completely or not at all, never over another file.

    The kind comes from our own header X-Bounce-Watch-Kind, `mail` without it.
    """

    def __init__(self, path: Path) -> None:
        self.name = f"folder:{path}"
        self._path = path

    def __enter__(self) -> "FolderSender":
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def send(self, recipient: str, content: bytes) -> Delivery:
        if not is_deliverable(recipient):
            return Delivery(outcome=Outcome.FAILED, reply="the recipient is not a plain address")
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            return Delivery(outcome=Outcome.SENT, reply=f"written to {self._write(content).name}")
        except OSError as error:
            return Delivery(outcome=Outcome.LATER, reply=f"{self._path} cannot be written: {error.strerror}")

    def _write(self, content: bytes) -> Path:
        crash_points.point("folder.write")
        with tempfile.NamedTemporaryFile(dir=self._path, prefix=".", suffix=".part", delete=False) as part:
            try:
                part.write(content)
                part.flush()
                os.fsync(part.fileno())
                crash_points.point("folder.written")
                return self._give_number(Path(part.name), _field(_KIND, content) or "mail")
            finally:
                Path(part.name).unlink()

    def _give_number(self, part: Path, kind: str) -> Path:
        """Link the file under the next free number: unlike a rename, a link never replaces a file."""
        taken = (_NUMBERED.fullmatch(entry.name) for entry in self._path.iterdir())
        number = max((int(match[1]) for match in taken if match), default=0) + 1
        while True:
            target = self._path / f"{number:04d}-{kind}.eml"
            try:
                target.hardlink_to(part)
            except FileExistsError:
                number += 1
            else:
                crash_points.point("folder.linked")
                return target

    is_complete = True

    def find(self, bw_ids: Collection[str]) -> frozenset[str] | None:
        """Return those of our IDs that are in the folder, None if it cannot be read."""
        try:
            found = {_field(_ID, path.read_bytes()) for path in self._path.glob("*.eml")}
        except OSError:
            return None
        return frozenset(bw_ids) & found

    def diagnose(self) -> list[Check]:
        nearest = next(folder for folder in (self._path, *self._path.absolute().parents) if folder.exists())
        if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
            return [Check("mail folder", "ok", f"mail is written to {self._path}")]
        repair = "give the service's user the right to write there, or choose another folder"
        return [Check("mail folder", "failure", f"{self._path} cannot be written", repair)]


def _field(pattern: re.Pattern[bytes], content: bytes) -> str:
    """Return a field of our own in the header, "" for none."""
    match = pattern.search(content.partition(b"\r\n\r\n")[0] + b"\r\n")
    return match[1].decode("ascii") if match else ""
