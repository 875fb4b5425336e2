"""Named points at which a test ends the process as `kill -9` does.

Nothing happens unless BOUNCE_WATCH_CRASH_AT was set at the start: `name:n` (or `name` for n = 1) ends the
process at the n-th pass of the point with that name, `*:n` at the n-th point of any name.
"""

import os
import signal
from dataclasses import dataclass
from typing import NoReturn

VARIABLE = "BOUNCE_WATCH_CRASH_AT"
ANY = "*"

_POINTS = (
    *("store.begun", "store.commit", "store.committed"),
    *("imap.connect", "imap.sign_in", "imap.open", "imap.fetch", "imap.fetched"),
    *("imap.move", "imap.moved", "imap.copy", "imap.copied", "imap.mark_deleted", "imap.expunge"),
    *("imap.create", "imap.search", "imap.searched"),
    *("receive.stored", "receive.committed", "receive.moved"),
    *("maildir.read", "maildir.move", "maildir.moved"),
    *("smtp.connect", "smtp.sign_in", "smtp.sender", "smtp.recipient", "smtp.data"),
    *("smtp.content", "smtp.half", "smtp.handed_over", "smtp.replied"),
    *("folder.write", "folder.written", "folder.linked"),
    *("deliver.claimed", "deliver.sent"),
)


def points() -> tuple[str, ...]:
    """Return the names of all points in the order in which a message passes them."""
    return _POINTS


@dataclass(slots=True)
class _Aim:
    name: str
    left: int


def _read(text: str | None) -> _Aim | None:
    if not text:
        return None
    name, _, count = text.partition(":")
    if name != ANY and name not in _POINTS:
        raise ValueError(f"{VARIABLE}: there is no point {name!r}")
    return _Aim(name, int(count or 1))


_aim = _read(os.environ.get(VARIABLE))


def arm(text: str | None) -> None:
    """Choose the point at which this process ends, None for no point; overrides the environment."""
    global _aim  # noqa: PLW0603 - set before anything else runs
    _aim = _read(text)


def point(name: str) -> None:
    """End the process if this point was chosen."""
    if _aim is None or _aim.name not in (ANY, name):
        return
    _aim.left -= 1
    if _aim.left == 0:
        _die()


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("the process survived SIGKILL")
