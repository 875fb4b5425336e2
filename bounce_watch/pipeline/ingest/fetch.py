"""The way of new messages: list, fetch, read, store a group in one transaction, move.

While one group is stored the next is read. A group that can't be stored together is stored message by
message, so that one faulty message holds back no other.
"""

from collections.abc import Callable, Sequence
from contextlib import closing

import structlog

from bounce_watch.model import Kind
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.filing import Filing, FilingState
from bounce_watch.pipeline.ingest.message import ingest_messages, note_failure
from bounce_watch.pipeline.ingest.read import ReadAll, ReadMessage, fetch_messages, fetch_whole, read_messages
from bounce_watch.pipeline.large import LargeMessages
from bounce_watch.pipeline.result import CycleResult, IngestedMessage
from bounce_watch.pipeline.room import require_room
from bounce_watch.sandbox.outcome import ReaderUnavailable
from bounce_watch.sandbox.pool import batched
from bounce_watch.source.interface import Source, SourceError, never, no_progress
from bounce_watch.store import AlreadyStored, MessageState, StoreError
from bounce_watch.testing import crash_points

log = structlog.get_logger()

MOST_MESSAGES = 96
"""Maximum number of messages per transaction: each commit is shared, and other writers wait briefly."""

MOST_BYTES = 4 * 1024 * 1024

_NOT_THE_MESSAGES_FAULT = (StoreError, SourceError, ReaderUnavailable, OSError, MemoryError)
"""Temporary or for the operator to fix: never a reason for quarantine."""

Locations = Sequence[MessageLocation]


class StopWalk(Exception):
    """Raised by `before_batch` to end a walk early. What was read before is stored."""


def ingest_new(
    context: Context,
    source: Source,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[], None] = no_progress,
    historical: bool = False,
    read_all: ReadAll | None = None,
    after: MessageLocation | None = None,
    before_batch: Callable[[Locations], None] | None = None,
    large: LargeMessages | None = None,
) -> list[MessageLocation]:
    """Store every message that isn't known yet, and move it once its rows are committed.

    `read_all` reads the messages; by default the reader of the context does. `after` is where the last walk
    ended. `before_batch` gets the places of some messages before they are fetched. Large messages wait in
    `large` for `ingest_large`.
    Returns the messages to retry, among them those that wait or that other watchers hold.
    """
    retry: list[MessageLocation] = []
    filing = begin_filing(context, source)

    def claim_new(places: Locations) -> list[MessageLocation]:
        waiting = large.waiting if large else {}
        retry.extend(place for place in places if place in waiting)
        places = [place for place in places if place not in waiting]
        taken = context.store.worker.claim(places)
        others = [place for place in places if place not in taken]
        retry.extend(others)
        result.in_other_hands += len(others)
        return _find_new(context, filing, [place for place in places if place in taken])

    def select_new(places: Locations) -> list[MessageLocation]:
        if stop():
            raise StopWalk
        if before_batch is not None:
            before_batch(places)
        if not (new := claim_new(places)):
            progress()
        return new

    try:
        fetched = fetch_messages(source, select_new, after)
        # Closed at once: what reads ahead would else end whenever the fault of a group is forgotten.
        with closing(
            read_messages(context, source, fetched, read_all, on_left=retry.append, large=large)
        ) as read:
            for group in batched(
                read, lambda one: len(one[0].raw), most=MOST_MESSAGES, most_bytes=MOST_BYTES
            ):
                if stop():
                    return retry
                retry += _ingest_group(
                    context, source, group, claim_new, result, filing=filing, historical=historical
                )
                for _ in group:
                    progress()
    except StopWalk:
        return retry
    finally:
        context.store.worker.release()
    result.skipped += len(source.skipped)
    return retry


def ingest_large(
    context: Context,
    source: Source,
    result: CycleResult,
    large: LargeMessages,
    *,
    stop: Callable[[], bool],
    progress: Callable[[], None],
    portion: float | None,
) -> None:
    """Store and move messages that wait, for at most `portion` seconds and a message."""
    filing = begin_filing(context, source)

    def claim_new(places: Locations) -> list[MessageLocation]:
        taken = context.store.worker.claim(places)
        return _find_new(context, filing, [place for place in places if place in taken])

    for message in large.take(portion):
        if stop():
            return
        if (whole := fetch_whole(source, message)) is not None:
            read = [(whole, context.reader.read(whole.raw))]
            _ingest_group(context, source, read, claim_new, result, filing=filing, historical=False)
        progress()


def begin_filing(context: Context, source: Source) -> Filing:
    """Return what moves the messages of a source during one poll."""
    return Filing(
        context.store, source, context.filings.setdefault(source.name, FilingState()), context.clock()
    )


def _find_new(context: Context, filing: Filing, places: Locations) -> list[MessageLocation]:
    """Return those messages that are new; move those that were stored before."""
    if not places:
        return []
    mailbox, validity = places[0].mailbox, places[0].validity
    states = context.store.messages.states_at(mailbox, validity, [place.uid for place in places])
    known = [(place, states[place.uid]) for place in places if place.uid in states]
    filing.move(known)
    done = {place for place, state in known if state is not MessageState.SEEN}
    context.store.worker.release(done)
    return [place for place in places if place not in done]


def _ingest_group(
    context: Context,
    source: Source,
    group: list[ReadMessage],
    claim_new: Callable[[Locations], list[MessageLocation]],
    result: CycleResult,
    *,
    filing: Filing,
    historical: bool,
) -> list[MessageLocation]:
    """Store and move a group; return what is to be retried."""
    require_room(context.config)
    read = {message.location: (message, outcome) for message, outcome in group}
    # While it was read, another watcher may have stored a message, or the walk may have listed it twice.
    new = claim_new(list(read))
    ingested = _store_group(context, source, [read[place] for place in new], historical=historical)
    crash_points.point("receive.committed")
    places = [(place, one.state) for place, one in zip(new, ingested, strict=True)]
    filing.move(places)
    context.store.worker.release(read)
    for one in ingested:
        result.add(one)
    return [place for place, state in places if state is MessageState.SEEN]


def _store_group(
    context: Context, source: Source, group: list[ReadMessage], *, historical: bool
) -> list[IngestedMessage]:
    if len(group) > 1:
        try:
            return ingest_messages(context, group, historical=historical)
        except AlreadyStored:
            log.warning("stored_elsewhere", messages=len(group))
        except _NOT_THE_MESSAGES_FAULT:
            raise
        except Exception as error:
            log.exception("group_failed", messages=len(group), error=type(error).__name__)
    return [_store_one(context, source, read, historical=historical) for read in group]


def _store_one(context: Context, source: Source, read: ReadMessage, *, historical: bool) -> IngestedMessage:
    message, _ = read
    try:
        return ingest_messages(context, [read], historical=historical)[0]
    except AlreadyStored:  # the server was away for a moment and forgot that we hold this message
        return IngestedMessage(
            state=MessageState.LEFT, kind=Kind.NOT_A_REPORT, reason="another watcher stored it"
        )
    except _NOT_THE_MESSAGES_FAULT:
        raise
    except Exception as error:  # the one catch-all: a bug must not stop the messages behind it
        log.exception("message_failed", uid=message.location.uid, error=type(error).__name__)
        # The quarantine keeps all bytes.
        whole = fetch_whole(source, message) or message
        return note_failure(context, whole, f"{type(error).__name__} while reading")
