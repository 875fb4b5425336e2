"""Once a day: delete what is older than the site keeps, in short transactions between which others write."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bounce_watch.config.models import Config
from bounce_watch.model import Edition
from bounce_watch.pipeline.digesting import DOUBTFUL, weekday_of
from bounce_watch.pipeline.house import House
from bounce_watch.store import Store
from bounce_watch.store.maintenance.purge import BATCH
from bounce_watch.store.maintenance.retention import Limits, Old

log = structlog.get_logger()

EVERY = timedelta(days=1)
BATCHES_A_CYCLE = 50
"""After so many transactions the mailbox comes first again; the next cycle goes on."""

BY_ITSELF = "bounce_watch"
_ONE_ANSWER_MARGIN = timedelta(days=1)

Progress = Callable[[int], None]


def _never() -> bool:
    return False


def _silent(_rows: int) -> None:
    return None


def limits_of(config: Config, store: Store, now: datetime, before: datetime | None = None) -> Limits:
    """Return before when things may go: as the configuration says, or all before one moment."""
    kept, reply = config.retention, config.reply
    bounces = before or _ago(kept.days, now)
    answers = now - timedelta(days=reply.again_after_days) - _ONE_ANSWER_MARGIN
    longer = {Edition.WEEKLY: config.digest.weekly is not None, Edition.MONTHLY: config.digest.monthly}
    return Limits(
        before=bounces,
        mails_before=min(bounces, answers) if bounces else None,
        quarantined_before=before or _ago(kept.quarantine_days, now),
        digested=store.digested([edition for edition in longer if longer[edition]], weekday_of(config)),
    )


def _ago(days: int, now: datetime) -> datetime | None:
    return now - timedelta(days=days) if days else None


def purge(
    store: Store,
    limits: Limits,
    *,
    outlive: bool,
    stop: Callable[[], bool] = _never,
    progress: Progress = _silent,
) -> Counter[str]:
    """Delete what may go until nothing is left or `stop` says so; return how many rows of what.

    `outlive`: counters stay as they are, but for those of senders. `progress` hears of the rows of a batch.
    """
    gone = Counter[str]()
    for what in Old:
        numbers = store.find_old(what, limits, most=BATCH)
        while numbers and not stop():
            with store.transaction() as tx:
                gone += tx.delete_old(what, numbers, limits, outlive=outlive)
            progress(len(numbers))
            numbers = store.find_old(what, limits, after=numbers[-1], most=BATCH)
    if gone:
        store.empty_log()
    return gone


def follow_subjects(store: Store, config: Config, *, stop: Callable[[], bool] = _never) -> int:
    """Bring stored subjects to what the configuration keeps of them; return how many changed."""
    if config.retention.subjects == "kept":
        return 0
    hashed, changed = config.retention.subjects == "hashed", 0
    while not stop() and (numbers := store.find_subjects(hashed=hashed, most=BATCH)):
        _change_subjects(store, numbers, hashed=hashed)
        changed += len(numbers)
    return changed


def _change_subjects(store: Store, numbers: Sequence[int], *, hashed: bool) -> None:
    with store.transaction() as tx:
        tx.change_subjects(numbers, hashed=hashed)


def is_upkeep_due(house: House) -> bool:
    """Tell whether a day has passed since the last upkeep; a clock that went back does not stop it."""
    last = house.store.last_upkeep_at()
    return last is None or not timedelta(0) <= house.clock() - last < EVERY


def _trusted(store: Store, now: datetime) -> datetime:
    """Return the time that age is measured by: a clock that is far ahead must not delete the past.

    The newest digest was made at a time that two looks agreed on; where none is made, nothing says more.
    """
    last = store.last_digest_until()
    return now if last is None else min(now, last + DOUBTFUL)


def keep_up(house: House, *, stop: Callable[[], bool] = _never) -> Counter[str]:
    """Do a part of the daily upkeep, and note it once all is done; return how many rows were deleted."""
    store, config, now = house.store, house.config, house.clock()
    trusted, batches = _trusted(store, now), 0

    def pause() -> bool:
        nonlocal batches
        batches += 1
        return batches > BATCHES_A_CYCLE or stop()

    outlive = config.retention.counters == "keep"
    gone = purge(store, limits_of(config, store, trusted), outlive=outlive, stop=pause)
    changed = follow_subjects(store, config, stop=pause)
    figures: dict[str, int | str] = {**gone, **({"subjects": changed} if changed else {})}
    with store.transaction() as tx:
        if figures:
            tx.note_deed("purge", BY_ITSELF, figures, now)
            log.info("upkeep", **figures)
        if trusted == now and batches <= BATCHES_A_CYCLE and not stop():
            tx.note_upkeep(now)
    return gone
