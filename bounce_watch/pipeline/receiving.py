"""Take new messages from a source in small groups: read, store in one transaction, move.

While one group is stored the next is read. A group that cannot be stored together is stored message by
message, so that one that trips us up holds back no other.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

import structlog

from bounce_watch import crash
from bounce_watch.pipeline.house import House
from bounce_watch.pipeline.intake import Intake, note_failure, take_in, take_in_together
from bounce_watch.pipeline.result import CycleResult
from bounce_watch.pipeline.room import require_room
from bounce_watch.reading.frames import Letter
from bounce_watch.reading.outcome import Outcome, ReaderUnavailable
from bounce_watch.reading.pool import read_ahead
from bounce_watch.reading.reader import IsolatedReader
from bounce_watch.source.interface import Locator, Message, Source, SourceError, Wanted
from bounce_watch.store import MessageState, StoreError

log = structlog.get_logger()

MOST_MESSAGES = 48
"""Messages stored in one transaction: a commit costs each little, and nobody waits long for the lock."""

MOST_BYTES = 4 * 1024 * 1024

Read = tuple[Message, Outcome | None]
"""A message with what it was read as; None for one that is to be read when its turn comes."""

ReadAhead = Callable[[Iterable[Message]], Iterator[Read]]

_NOT_THE_MAILS_FAULT = (StoreError, SourceError, ReaderUnavailable, OSError, MemoryError)
"""Transient or the operator's: never a reason for quarantine."""


def never() -> bool:
    return False


def nothing() -> None:
    return None


def read_new(
    house: House,
    source: Source,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[], None] = nothing,
    historical: bool = False,
    ahead: ReadAhead | None = None,
) -> None:
    """Take in every message that is not known yet, and move it once its rows are committed.

    `ahead` reads messages before their turn; without it the reader of the house does.
    """

    def is_wanted(place: Locator) -> bool:
        return _is_wanted(house, source, place)

    read = (ahead or _ahead_of(house))(source.messages(is_wanted))
    for group in _in_groups(read):
        if stop():
            return
        require_room(house.config)
        fresh = _still_wanted(group, is_wanted)
        taken = _take_in(house, fresh, historical=historical)
        crash.point("receive.committed")
        _move(
            house,
            source,
            [(message.locator, one.state) for (message, _), one in zip(fresh, taken, strict=True)],
        )
        for intake in taken:
            result.add(intake)
        for _ in group:
            progress()
    result.skipped += len(source.skipped)


def _ahead_of(house: House) -> ReadAhead:
    reader = house.reader
    if isinstance(reader, IsolatedReader):
        return lambda messages: read_ahead(reader, messages, lambda message: Letter("", message.raw))
    return lambda messages: ((message, None) for message in messages)


def _in_groups(messages: Iterator[Read]) -> Generator[list[Read], None, None]:
    """Group messages; a group before a fault of the source comes out first."""
    group: list[Read] = []
    size = 0
    try:
        for message, outcome in messages:
            if group and (len(group) == MOST_MESSAGES or size + len(message.raw) > MOST_BYTES):
                yield group
                group, size = [], 0
            group.append((message, outcome))
            size += len(message.raw)
    except Exception:
        if group:
            yield group
        raise
    if group:
        yield group


def _still_wanted(group: list[Read], is_wanted: Wanted) -> list[Read]:
    """Leave out what was read ahead and has come, meanwhile or in this group, a second time."""
    places: dict[Locator, Read] = {}
    for message, outcome in group:
        if message.locator not in places and (outcome is None or is_wanted(message.locator)):
            places[message.locator] = (message, outcome)
    return list(places.values())


def _take_in(house: House, group: list[Read], *, historical: bool) -> list[Intake]:
    if len(group) > 1:
        try:
            return take_in_together(house, group, historical=historical)
        except _NOT_THE_MAILS_FAULT:
            raise
        except Exception as error:
            log.exception("group_failed", messages=len(group), error=type(error).__name__)
    return [_guarded(house, message, outcome, historical=historical) for message, outcome in group]


def _guarded(house: House, message: Message, outcome: Outcome | None, *, historical: bool) -> Intake:
    try:
        return take_in(house, message, historical=historical, outcome=outcome)
    except _NOT_THE_MAILS_FAULT:
        raise
    except Exception as error:  # the one catch-all: a bug must not stop the mail behind it
        log.exception("message_failed", uid=message.locator.uid, error=type(error).__name__)
        return note_failure(house, message, f"{type(error).__name__} while reading")


def _is_wanted(house: House, source: Source, place: Locator) -> bool:
    """Tell whether a message is new; finish the move of one that was stored before a crash."""
    state = house.store.is_known(place.mailbox, place.validity, place.uid)
    if state is None or state is MessageState.SEEN:
        return True
    _move(house, source, [(place, state)])
    return False


def _move(house: House, source: Source, placed: Sequence[tuple[Locator, MessageState]]) -> None:
    """Move messages whose rows are committed, then note what was filed. Repeating it is harmless."""
    filed = [place for place, state in placed if state is MessageState.STORED]
    source.file(*filed)
    source.quarantine(*(place for place, state in placed if state is MessageState.QUARANTINED))
    crash.point("receive.moved")
    if filed:
        with house.store.transaction() as tx:
            tx.note_filed([(place.mailbox, place.validity, place.uid) for place in filed])
