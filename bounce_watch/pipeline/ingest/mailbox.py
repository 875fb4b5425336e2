"""Poll a mailbox: first what came since the last poll, and from time to time the whole folder.

A cursor spares listing at every poll what stays in the folder. Nothing is forgotten: what could not be moved
is moved last, and the cursor stays before what could not be read or is held by another watcher. The whole
folder is walked at the first poll of each run, under a new UIDVALIDITY, and once a day. A service walks it
in portions, so that new mail and other mailboxes need not wait until a million messages are listed.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.elapsed import has_passed
from bounce_watch.pipeline.ingest.fetch import StopWalk, begin_filing, ingest_large, ingest_new
from bounce_watch.pipeline.large import LargeMessages
from bounce_watch.pipeline.result import CycleResult
from bounce_watch.pipeline.room import require_room
from bounce_watch.source.interface import Source, never, no_progress
from bounce_watch.store import Cursor, Transaction

log = structlog.get_logger()

WHOLE_EVERY = timedelta(days=1)


def check_mailbox(
    context: Context,
    source: Source,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[], None] = no_progress,
    portion: float | None = None,
) -> bool:
    """Ingest what is new in one opened mailbox. Raises StoreFull before anything is fetched.

    When the whole folder is due it is walked, at most `portion` seconds per call; large messages are read
    after all others, as long. Returns True when the next call is to continue.
    """
    require_room(context.config)
    _note_first_backlog(context, source)
    newest = None if context.store.worker.is_alone else context.store.messages.newest()
    held_before = result.in_other_hands
    walked = _walk(context, source, result, stop=stop, progress=progress, portion=portion)
    large = context.large[source.name]
    ingest_large(context, source, result, large, stop=stop, progress=progress, portion=portion)
    if stop():
        return False
    is_all_moved = begin_filing(context, source).finish()
    with context.store.transaction() as tx:
        tx.mailboxes.note_fetch(context.clock(), source.name, is_complete=not walked.is_partial)
        _note_unfetched(tx, source, is_whole=walked.is_whole)
        has_skipped = source.skipped or result.in_other_hands != held_before
        if walked.is_whole and is_all_moved and not has_skipped:
            tx.messages.note_moved(source.name, up_to=newest)
        if walked.cursor is not None:
            tx.mailboxes.note_cursor(source.name, walked.cursor)
    return walked.is_partial or bool(large.waiting)


def _note_unfetched(tx: Transaction, source: Source, *, is_whole: bool) -> None:
    """Note and log what the walk could not fetch. Only a walk of the whole folder shows what is over."""
    known, skipped = tx.mailboxes.unfetched(source.name), dict(source.skipped)
    for place in skipped.keys() - known.keys():
        log.warning("message_not_fetched", mailbox=source.name, place=place, why=skipped[place])
    now = skipped if is_whole else known | skipped
    if now != known:
        tx.mailboxes.note_unfetched(source.name, now)


def _note_first_backlog(context: Context, source: Source) -> None:
    """Note at the first poll of a mailbox that a large backlog lies there: its replies are held."""
    if context.store.mailboxes.first_look_at(source.name) is not None:
        return
    waiting, until = source.count() or 0, context.clock().replace(microsecond=0)  # as INTERNALDATE (RFC 9051)
    with context.store.transaction() as tx:
        tx.mailboxes.note_first_look(source.name, until)
        if waiting > context.config.reply.hold_backlog_over:
            tx.state.note_backlog(until)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walked:
    """What a walk reached. `cursor` is where the next poll begins.

    `is_whole`: all of the folder was walked; where several watch, in this one poll.
    `is_partial`: the portion was used up, and the next poll continues.
    """

    is_whole: bool
    is_partial: bool
    cursor: Cursor | None


class _Portion:
    """Stops a walk behind `reached` after a number of seconds, and moves `reached` forward."""

    def __init__(self, seconds: float, reached: MessageLocation | None) -> None:
        self.is_over = False
        self.reached = reached
        self._until = time.monotonic() + seconds
        self._last: MessageLocation | None = None

    def before_batch(self, places: Sequence[MessageLocation]) -> None:
        # However slow the server, each portion advances: a source begins slightly before `reached`.
        if self._last is not None and _is_behind(self._last, self.reached):
            self.reached = self._last
            if time.monotonic() > self._until:
                self.is_over = True
                raise StopWalk
        self._last = places[-1]


def _is_behind(place: MessageLocation, other: MessageLocation | None) -> bool:
    return other is None or place.validity != other.validity or int(place.uid) > int(other.uid)


def _walk(
    context: Context,
    source: Source,
    result: CycleResult,
    *,
    stop: Callable[[], bool],
    progress: Callable[[], None],
    portion: float | None,
) -> _Walked:
    """Ingest what is new, then walk the folder when that is due: all of it, or one portion."""
    now, cursor = context.clock(), context.store.mailboxes.cursor(source.name)
    retry: list[MessageLocation] = []
    large = context.large.setdefault(source.name, LargeMessages())
    reached, whole, skipped = None, _is_whole_due(context, cursor, now), result.skipped
    is_walked = False
    if cursor is not None:
        after = MessageLocation(mailbox=source.name, validity=cursor.validity, uid=cursor.uid)
        retry += ingest_new(context, source, result, stop=stop, progress=progress, after=after, large=large)
        reached = source.reached
        # The UIDVALIDITY may change even in the middle of the walk; before it, all was walked just now.
        is_walked = reached is not None and reached.validity != cursor.validity
        whole = not is_walked and (whole or reached is None)
    began = context.walks.pop(source.name, None)
    # A walk through places without an order cannot be continued later.
    part = _Portion(portion, began) if portion is not None and reached else None
    if whole and not stop():
        before_batch = part.before_batch if part else None
        result.skipped = skipped  # this walk meets them again
        retry += ingest_new(
            context,
            source,
            result,
            stop=stop,
            progress=progress,
            after=began,
            before_batch=before_batch,
            large=large,
        )
        if part and part.is_over and part.reached:
            context.walks[source.name] = part.reached
        else:
            reached = source.reached
    is_partial = part is not None and part.is_over
    whole = is_walked or (whole and not is_partial)
    if is_walked and source.name not in context.renumbered:
        context.renumbered.add(source.name)
        log.warning("folder_renumbered", mailbox=source.name, done="every message in it was read again")
    whole_at = now if whole or cursor is None else cursor.whole_at
    # Other watchers may hold messages of an earlier portion.
    in_one_poll = began is None or context.store.worker.is_alone
    return _Walked(
        is_whole=whole and in_one_poll, is_partial=is_partial, cursor=_next_cursor(reached, retry, whole_at)
    )


def _is_whole_due(context: Context, cursor: Cursor | None, now: datetime) -> bool:
    started_at = context.store.state.started_at()
    if cursor is None or (started_at is not None and cursor.whole_at < started_at):
        return True
    return has_passed(WHOLE_EVERY, cursor.whole_at, now)


def _next_cursor(
    reached: MessageLocation | None, retry: list[MessageLocation], whole_at: datetime
) -> Cursor | None:
    """Return the cursor before everything that is to be retried, None where places have no order.

    That includes what other watchers hold: it is read if they die with it. This walk stored, or found in
    the store, whatever else it met, so the cursor of any watcher is valid for all.
    """
    if reached is None:
        return None
    waiting = [int(place.uid) for place in retry if place.validity == reached.validity]
    last = min([int(reached.uid), *(uid - 1 for uid in waiting)])
    return Cursor(validity=reached.validity, uid=str(last), whole_at=whole_at)
