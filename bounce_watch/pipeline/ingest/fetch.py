"""Take new messages from a source in small groups: read, store in one transaction, move.

While one group is stored the next is read. A group that cannot be stored together is stored message by
message, so that one that trips us up holds back no other.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import structlog

from bounce_watch.model import Kind
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.ingest.disk_space import require_room
from bounce_watch.pipeline.ingest.message import IngestedMessage, ingest_messages, note_failure
from bounce_watch.pipeline.ingest.partial import Read, fetch_messages, fetch_whole, with_whole_reports
from bounce_watch.pipeline.result import CycleResult
from bounce_watch.sandbox.frames import ReadRequest, batched
from bounce_watch.sandbox.outcome import Outcome, ReaderUnavailable
from bounce_watch.sandbox.pool import read_ahead
from bounce_watch.sandbox.reader import IsolatedReader
from bounce_watch.source.interface import Message, Source, SourceError, Wanted, never, no_progress
from bounce_watch.store import AlreadyStored, MessageState, StoreError
from bounce_watch.testing import crash_points

log = structlog.get_logger()

MOST_MESSAGES = 96
"""Messages stored in one transaction: a commit costs each little, and nobody waits long for the lock."""

MOST_BYTES = 4 * 1024 * 1024

ReadAhead = Callable[[Iterable[Message]], Iterator[Read]]

_NOT_THE_MAILS_FAULT = (StoreError, SourceError, ReaderUnavailable, OSError, MemoryError)
"""Transient or the operator's: never a reason for quarantine."""


class StopWalk(Exception):
    """Raised by `glance` to end a walk early; what was read before is taken in."""


def ingest_new(
    context: Context,
    source: Source,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[], None] = no_progress,
    historical: bool = False,
    ahead: ReadAhead | None = None,
    after: MessageLocation | None = None,
    glance: Callable[[Sequence[MessageLocation]], None] | None = None,
) -> list[MessageLocation]:
    """Take in every message that is not known yet, and move it once its rows are committed.

    `ahead` reads messages before their turn; without it the reader of the context does.
    `after` is up to where the mailbox was looked at before.
    `glance` sees the places of some messages before they are looked at.
    Returns the messages that are to be tried again, among them those that other watchers have in hand.
    """
    again: list[MessageLocation] = []

    def wanted(places: Sequence[MessageLocation]) -> list[MessageLocation]:
        mine = in_hand(context, places)
        held = set(mine)
        others = [place for place in places if place not in held]
        again.extend(others)
        result.in_other_hands += len(others)
        return _wanted(context, source, mine)

    def asked(places: Sequence[MessageLocation]) -> list[MessageLocation]:
        if stop():
            raise StopWalk
        if glance is not None:
            glance(places)
        if not (new := wanted(places)):
            progress()
        return new

    try:
        read = (ahead or _ahead_of(context))(fetch_messages(source, asked, after))
        read = with_whole_reports(context, source, read, again.append)
        for group in batched(read, _size_of, most=MOST_MESSAGES, most_bytes=MOST_BYTES):
            if stop():
                return again
            again += _ingest_group(context, source, group, wanted, result, historical=historical)
            for _ in group:
                progress()
    except StopWalk:
        return again
    finally:
        context.store.watcher.let_go()
    result.skipped += len(source.skipped)
    return again


def _size_of(read: Read) -> int:
    return len(read[0].raw)


def in_hand(context: Context, places: Sequence[MessageLocation]) -> list[MessageLocation]:
    """Take messages in hand and return those that no other watcher has."""
    taken = context.store.watcher.claim(places)
    return [place for place in places if place in taken]


def _let_go(context: Context, places: Iterable[MessageLocation]) -> None:
    context.store.watcher.let_go(places)


def _ingest_group(
    context: Context,
    source: Source,
    group: list[Read],
    wanted: Wanted,
    result: CycleResult,
    *,
    historical: bool,
) -> list[MessageLocation]:
    """Store and move a group; return what is to be tried again."""
    require_room(context.config)
    fresh = _still_wanted(group, wanted)
    taken = _ingest(context, source, fresh, historical=historical)
    crash_points.point("receive.committed")
    places = [(message.location, one.state) for (message, _), one in zip(fresh, taken, strict=True)]
    _move(context, source, places)
    _let_go(context, (message.location for message, _ in group))
    for intake in taken:
        result.add(intake)
    return [place for place, state in places if state is MessageState.SEEN]


def finish_moves(context: Context, source: Source) -> None:
    """Move what was stored before a crash or a lost connection, without a walk."""
    mine = in_hand(context, context.store.messages.unfiled(source.name))
    _move(context, source, [(place, MessageState.STORED) for place in mine])
    _let_go(context, mine)


def _ahead_of(context: Context) -> ReadAhead:
    reader = context.reader
    if isinstance(reader, IsolatedReader):
        return lambda messages: read_ahead(reader, messages, lambda message: ReadRequest("", message.raw))
    return lambda messages: ((message, None) for message in messages)


def _still_wanted(group: list[Read], wanted: Wanted) -> list[Read]:
    """Leave out what was read ahead and has come, meanwhile or in this group, a second time."""
    places: dict[MessageLocation, Read] = {}
    for read in group:
        places.setdefault(read[0].location, read)
    early = [place for place, (_, outcome) in places.items() if outcome is not None]
    come = set(early) - set(wanted(early))
    return [read for place, read in places.items() if place not in come]


def _ingest(
    context: Context, source: Source, group: list[Read], *, historical: bool
) -> list[IngestedMessage]:
    if len(group) > 1:
        try:
            return ingest_messages(context, group, historical=historical)
        except AlreadyStored:
            log.warning("stored_elsewhere", messages=len(group))
        except _NOT_THE_MAILS_FAULT:
            raise
        except Exception as error:
            log.exception("group_failed", messages=len(group), error=type(error).__name__)
    return [_guarded(context, source, message, outcome, historical=historical) for message, outcome in group]


def _guarded(
    context: Context, source: Source, message: Message, outcome: Outcome | None, *, historical: bool
) -> IngestedMessage:
    try:
        (ingested,) = ingest_messages(context, [(message, outcome)], historical=historical)
        return ingested
    except AlreadyStored:  # we lost the server for a moment, and with it what we had in hand
        return IngestedMessage(
            state=MessageState.LEFT, kind=Kind.NOT_A_REPORT, reason="another watcher stored it"
        )
    except _NOT_THE_MAILS_FAULT:
        raise
    except Exception as error:  # the one catch-all: a bug must not stop the mail behind it
        log.exception("message_failed", uid=message.location.uid, error=type(error).__name__)
        # It may go to quarantine, which keeps all bytes.
        return note_failure(
            context, fetch_whole(source, message) or message, f"{type(error).__name__} while reading"
        )


def _wanted(context: Context, source: Source, places: Sequence[MessageLocation]) -> list[MessageLocation]:
    """Return those messages that are new; finish the moves of those that were stored before a crash."""
    if not places:
        return []
    uids = [place.uid for place in places]
    states = context.store.messages.states_at(places[0].mailbox, places[0].validity, uids)
    known = {place: states[place.uid] for place in places if place.uid in states}
    _move(context, source, list(known.items()))
    new = [place for place in places if known.get(place, MessageState.SEEN) is MessageState.SEEN]
    _let_go(context, set(places) - set(new))
    return new


def _move(context: Context, source: Source, placed: Sequence[tuple[MessageLocation, MessageState]]) -> None:
    """Move messages whose rows are committed, then note what was filed. Repeating it is harmless."""
    filed = [place for place, state in placed if state is MessageState.STORED]
    if filed:
        source.file(*filed)
    if unreadable := [place for place, state in placed if state is MessageState.QUARANTINED]:
        source.quarantine(*unreadable)
    crash_points.point("receive.moved")
    if filed:
        with context.store.transaction() as tx:
            tx.messages.note_filed(filed)
