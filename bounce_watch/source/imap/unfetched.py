"""Messages that are in the folder but cannot be fetched: known, told, tried again later, and passed by.

Some servers hang up at one message each time, reject it, or send no content for it (mscdex/node-imap#867).
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.source.interface import Unreachable

_TRIES = 3
"""Number of walks that ask for a message and hold the next walk back; an answer may be nonsense once."""
_PAUSE = 3600.0
"""Seconds until a message is asked for again after that."""
_MAX_LOSSES = 8
_MAX_IN_A_ROW = 20
"""Number of messages, rejected one after the other, from which on the server is at fault."""


@dataclass(slots=True, kw_only=True)
class _Fault:
    why: str
    walks: int = 0
    noted_at: float = 0.0


@dataclass(slots=True)
class Unfetched:
    """The messages of one folder that could not be fetched, by UID. `validity` is that of the UIDs.

    `alone` are those that are asked for singly, because an answer to several of them was a fault.
    `lists_uids_only`: the connection was lost while sizes and dates were listed.
    """

    clock: Callable[[], float] = time.monotonic
    validity: int = 0
    alone: set[int] = field(default_factory=set)
    lists_uids_only: bool = False
    _faults: dict[int, _Fault] = field(default_factory=dict)
    _failed: set[int] = field(default_factory=set)
    _met: set[int] = field(default_factory=set)
    _in_a_row: int = 0

    def begin_walk(self, validity: int) -> None:
        if validity != self.validity:
            self._faults.clear()
        self.validity, self.lists_uids_only = validity, False
        self._failed, self._met, self.alone, self._in_a_row = set(), set(), set(self._faults), 0

    def passes_by(self, uid: int) -> bool:
        """Tell whether not to ask for a message: it failed in this walk, or too often to try again soon."""
        fault = self._faults.get(uid)
        if fault is None:
            return False
        self._met.add(uid)
        is_tired = fault.walks >= _TRIES and self.clock() - fault.noted_at < _PAUSE
        return uid in self._failed or is_tired

    def note(self, uid: int, why: str) -> bool:
        """Note that a message asked for singly could not be fetched; return False if none seems to be."""
        fault = self._faults.setdefault(uid, _Fault(why=why))
        fault.why, fault.noted_at = why, self.clock()
        fault.walks += uid not in self._failed
        self._failed.add(uid)
        self._met.add(uid)
        self.alone = set(self._faults)
        self._in_a_row += 1
        return self._in_a_row < _MAX_IN_A_ROW

    def suspect(self, uids: Collection[int], why: str) -> None:
        """Note that the connection was lost at some messages: ask for each of them singly from now on."""
        if len(uids) == 1 and self.alone.issuperset(uids):
            self.note(next(iter(uids)), why)
        self.alone |= set(uids)

    def forget(self, uids: Collection[int]) -> None:
        """Note that messages were fetched, or are gone."""
        self._in_a_row = 0 if uids else self._in_a_row
        for uid in uids:
            self._faults.pop(uid, None)

    @property
    def known(self) -> list[tuple[str, str]]:
        """Return the messages of this walk that are passed by, with the reasons."""
        return [(f"UID {uid}", self._faults[uid].why) for uid in sorted(self._met & self._faults.keys())]

    def end_of_walk(self, uid_next: int) -> int:
        """Forget messages that are gone; return the highest UID below which none is to be asked for soon."""
        self._faults = {uid: fault for uid, fault in self._faults.items() if uid in self._met}
        return min((uid for uid, fault in self._faults.items() if fault.walks < _TRIES), default=uid_next) - 1


class Losses:
    """Losses of the connection in a row without a message between: one message's fault, or the server's."""

    def __init__(self, settings: ImapSettings) -> None:
        self._seconds = 3 * settings.timeout_seconds
        self._count, self._since = 0, 0.0

    def end(self) -> None:
        """Note that a message was fetched."""
        self._count = 0

    def count(self, error: Unreachable) -> None:
        """Count a loss; raise it where one more connection is not worth the attempt."""
        self._count += 1
        if self._count == 1:
            self._since = time.monotonic()
        if self._count >= _MAX_LOSSES or time.monotonic() - self._since > self._seconds:
            raise error
