"""Which part of a mailbox a look walks through: what came since the last one, and now and then all of it.

Mail that stays in the folder for good would else be listed at every look. Nothing is forgotten: what could
not be moved is moved first, what could not be read holds the cursor back, and the whole folder is walked at
the first look of each run, under a new UIDVALIDITY, and once a day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bounce_watch.pipeline.house import House
from bounce_watch.pipeline.receiving import finish_moves, never, nothing, read_new
from bounce_watch.pipeline.result import CycleResult
from bounce_watch.source.interface import Locator, Source
from bounce_watch.store import Cursor

WHOLE_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """`whole`: all of the folder was walked through. `cursor` is where the next look begins."""

    whole: bool
    cursor: Cursor | None


def walk(
    house: House,
    source: Source,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[], None] = nothing,
) -> Walked:
    """Read what is new first, then the rest of the folder when that is due."""
    now, alone = house.clock(), house.store.watcher.is_alone
    # Where several watch, what another had in hand when it died lies behind the cursor.
    cursor = house.store.cursor(source.name) if alone else None
    again: list[Locator] = []
    whole = _is_whole_due(house, cursor, now)
    finish_moves(house, source)
    if cursor is not None:
        after = Locator(mailbox=source.name, validity=cursor.validity, uid=cursor.uid)
        again += read_new(house, source, result, stop=stop, progress=progress, after=after)
        # A new UIDVALIDITY, perhaps in the middle of the walk.
        whole = whole or source.reached is None or source.reached.validity != cursor.validity
    if whole and not stop():
        again += read_new(house, source, result, stop=stop, progress=progress)
    whole_at = now if whole or cursor is None else cursor.whole_at
    return Walked(whole=whole, cursor=_next(source.reached, again, whole_at))


def _is_whole_due(house: House, cursor: Cursor | None, now: datetime) -> bool:
    started_at = house.store.started_at()
    if cursor is None or (started_at is not None and cursor.whole_at < started_at):
        return True
    return not timedelta(0) <= now - cursor.whole_at < WHOLE_EVERY


def _next(reached: Locator | None, again: list[Locator], whole_at: datetime) -> Cursor | None:
    """Return the cursor that stands before everything that is to be tried again."""
    if reached is None:
        return None
    waiting = [int(place.uid) for place in again if place.validity == reached.validity]
    last = min([int(reached.uid), *(uid - 1 for uid in waiting)])
    return Cursor(validity=reached.validity, uid=str(last), whole_at=whole_at)
