"""Which part of a mailbox a look walks through: what came since the last one, and now and then all of it.

Mail that stays in the folder for good would else be listed at every look. Nothing is forgotten: what could
not be moved is moved first, what could not be read or is in other hands holds the cursor back, and the whole
folder is walked at the first look of each run, under a new UIDVALIDITY, and once a day. A service walks it in
portions, so that new mail and other mailboxes do not wait until a million messages are listed.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.ingest.fetch import StopWalk, finish_moves, ingest_new
from bounce_watch.pipeline.result import CycleResult
from bounce_watch.source.interface import Source, never, no_progress
from bounce_watch.store import Cursor

WHOLE_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """`whole`: all of the folder was walked through, where several watch in this one look; `halfway`: a part
    of it, and the next look goes on.

    `cursor` is where the next look begins.
    """

    whole: bool
    cursor: Cursor | None
    halfway: bool = False


class _Portion:
    """Ends a walk that goes on behind `reached` once so many seconds are over, never for None.

    `reached` is then up to where all was looked at; `is_over` tells whether the walk was ended.
    """

    def __init__(self, seconds: float | None, reached: MessageLocation | None) -> None:
        self.is_over = False
        self.reached = reached
        self._until = None if seconds is None else time.monotonic() + seconds
        self._last: MessageLocation | None = None

    def before_batch(self, places: Sequence[MessageLocation]) -> None:
        if self._until is None:
            return
        # However slow the server, each portion gets on; a source begins a little before where it was.
        if self._last is not None and _is_behind(self._last, self.reached):
            self.reached = self._last
            if time.monotonic() > self._until:
                self.is_over = True
                raise StopWalk
        self._last = places[-1]


def _is_behind(place: MessageLocation, other: MessageLocation | None) -> bool:
    return other is None or place.validity != other.validity or int(place.uid) > int(other.uid)


def walk(
    context: Context,
    source: Source,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[], None] = no_progress,
    portion: float | None = None,
) -> Walked:
    """Read what is new first, then the rest of the folder when that is due: all of it, or for `portion`
    seconds where the places have an order."""
    now, cursor = context.clock(), context.store.mailboxes.cursor(source.name)
    retry: list[MessageLocation] = []
    reached, whole = None, _is_whole_due(context, cursor, now)
    finish_moves(context, source)
    if cursor is not None:
        after = MessageLocation(mailbox=source.name, validity=cursor.validity, uid=cursor.uid)
        retry += ingest_new(context, source, result, stop=stop, progress=progress, after=after)
        reached = source.reached
        # A new UIDVALIDITY, perhaps in the middle of the walk.
        whole = whole or reached is None or reached.validity != cursor.validity
    # Where places have no order, nobody can go on later.
    began = context.walks.pop(source.name, None)
    part = _Portion(portion if reached else None, began)
    if whole and not stop():
        retry += ingest_new(
            context,
            source,
            result,
            stop=stop,
            progress=progress,
            after=part.reached,
            before_batch=part.before_batch,
        )
        if part.is_over and part.reached:
            context.walks[source.name] = part.reached
        else:
            reached = source.reached
    whole = whole and not part.is_over
    whole_at = now if whole or cursor is None else cursor.whole_at
    # Others may have in hand what lies in an earlier portion.
    at_once = began is None or context.store.watcher.is_alone
    return Walked(whole=whole and at_once, cursor=_next(reached, retry, whole_at), halfway=part.is_over)


def _is_whole_due(context: Context, cursor: Cursor | None, now: datetime) -> bool:
    started_at = context.store.state.started_at()
    if cursor is None or (started_at is not None and cursor.whole_at < started_at):
        return True
    return not timedelta(0) <= now - cursor.whole_at < WHOLE_EVERY


def _next(reached: MessageLocation | None, retry: list[MessageLocation], whole_at: datetime) -> Cursor | None:
    """Return the cursor that stands before everything that is to be tried again.

    That is also what other watchers have in hand: it is looked at again should they die with it. Whatever
    else a walk meets, it takes in hand itself or finds in the store, so any watcher's cursor is good for all.
    """
    if reached is None:
        return None
    waiting = [int(place.uid) for place in retry if place.validity == reached.validity]
    last = min([int(reached.uid), *(uid - 1 for uid in waiting)])
    return Cursor(validity=reached.validity, uid=str(last), whole_at=whole_at)
