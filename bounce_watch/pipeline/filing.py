"""Move messages whose rows are committed.

Reading never waits for a folder that is full or refused: the message stays where it is, the fault is noted,
and moving is tried again later, after everything new was read. A server that asks us to wait is not asked
anything until then.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

import structlog

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline.elapsed import has_passed
from bounce_watch.source.interface import ASKED_TOGETHER, Source, SourceError, requested_pause
from bounce_watch.store import MessageState, Store
from bounce_watch.testing import crash_points

log = structlog.get_logger()

RETRY_AFTER = timedelta(minutes=5)
MAX_FAULTS = 3
"""Number of messages in a row that are tried alone after their group could not be moved."""
QUICK_SECONDS = 2.0
"""A fault that takes longer is the connection's: no message is tried alone then."""

Locations = Sequence[MessageLocation]


@dataclass(slots=True)
class FilingState:
    """What one mailbox could not move. `fault` is the newest reason, None while moving works.

    `quarantined` holds the messages that belong in the quarantine folder; the store knows all others.
    """

    fault: Exception | None = None
    tried_at: datetime | None = None
    pause: timedelta = RETRY_AFTER
    quarantined: set[MessageLocation] = field(default_factory=set)

    def is_paused(self, now: datetime) -> bool:
        """Tell whether moving failed so recently that it is not tried again yet."""
        return self.tried_at is not None and not has_passed(self.pause, self.tried_at, now)


class Filing:
    """Moves messages during one poll of an opened source.

    Raises StoreError, and the SourceError of a server that asks us to wait. No other SourceError.
    """

    def __init__(self, store: Store, source: Source, state: FilingState, now: datetime) -> None:
        self._store = store
        self._source = source
        self._state = state
        self._now = now

    def move(self, placed: Iterable[tuple[MessageLocation, MessageState]]) -> None:
        """Move messages, or leave them to `finish` if moving failed before. Repeating it is harmless."""
        placed = list(placed)
        self._state.quarantined |= {place for place, state in placed if state is MessageState.QUARANTINED}
        if self._state.fault is None:
            filed = [place for place, state in placed if state is MessageState.STORED]
            self._note(self._move_all(filed))

    def finish(self) -> bool:
        """Move what an earlier poll left or a crash interrupted; return True if nothing is left to move."""
        if self._state.fault is not None and self._state.is_paused(self._now):
            return False
        unfiled = self._store.messages.unfiled(self._source.name)
        taken = self._store.worker.claim(unfiled)
        try:
            self._note(self._move_all([place for place in unfiled if place in taken]))
        finally:
            self._store.worker.release(taken)
        return self._state.fault is None and len(taken) == len(unfiled)

    def _note(self, fault: Exception | None) -> None:
        if fault is not None:
            log.warning("not_filed", mailbox=self._source.name, error=str(fault))
        self._state.fault = fault
        self._state.tried_at = None if fault is None else self._now
        if fault is not None:
            asked = requested_pause(fault)
            self._state.pause = max(RETRY_AFTER, timedelta(seconds=asked))
            if asked:
                raise fault

    def _move_all(self, filed: Locations) -> Exception | None:
        """Move messages into both folders; return the first fault, None for none."""
        unreadable = list(self._state.quarantined)
        faults = _move_in_groups(filed, self._file), _move_in_groups(unreadable, self._quarantine)
        return faults[0] or faults[1]

    def _file(self, places: Locations) -> None:
        self._source.file(*places)
        crash_points.point("receive.moved")
        with self._store.transaction() as tx:
            tx.messages.note_filed(places)

    def _quarantine(self, places: Locations) -> None:
        self._source.quarantine(*places)
        self._state.quarantined.difference_update(places)


def _move_in_groups(places: Locations, move: Callable[[Locations], None]) -> Exception | None:
    """Move many at once, and one by one if that fails; give up after a few faults in a row."""
    rest, first = iter(places), None
    while group := list(islice(rest, ASKED_TOGETHER)):
        began = time.monotonic()
        try:
            move(group)
        except (SourceError, OSError) as error:
            first = first or error
            is_for_all = len(group) == 1 or requested_pause(error) or time.monotonic() - began > QUICK_SECONDS
            if is_for_all or not _move_each(group, move):
                break
    return first


def _move_each(group: Locations, move: Callable[[Locations], None]) -> bool:
    """Move one by one, so that one message blocks no other; return False after too many faults in a row."""
    faults = 0
    for place in group:
        try:
            move([place])
            faults = 0
        except (SourceError, OSError) as error:
            faults += 1
            if faults == MAX_FAULTS or requested_pause(error):
                return False
    return True
