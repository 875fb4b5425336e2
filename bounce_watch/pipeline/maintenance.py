"""Daily maintenance, and forgetting one person: in short transactions, between which others can write."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bounce_watch.config.models import Config
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.digest import longer_editions, weekday_of
from bounce_watch.pipeline.elapsed import has_passed
from bounce_watch.source.interface import never, no_progress
from bounce_watch.store import Store
from bounce_watch.store.maintenance.maintenance import BATCH
from bounce_watch.store.maintenance.retention import Purgeable, RetentionLimits
from bounce_watch.store.privacy.columns import Found
from bounce_watch.store.privacy.identity import PersonIdentity
from bounce_watch.store.privacy.search import NAMES

log = structlog.get_logger()

EVERY = timedelta(days=1)
BATCHES_A_CYCLE = 50
"""After this many transactions the mailbox comes first again; the next cycle continues."""
_ONE_ANSWER_MARGIN = timedelta(days=1)


def limits_of(config: Config, store: Store, now: datetime, before: datetime | None = None) -> RetentionLimits:
    """Return before which times rows may be deleted: as configured, or all before one time."""
    kept, reply = config.retention, config.reply
    bounces = before or _ago(kept.days, now)
    answers = now - timedelta(days=reply.again_after_days) - _ONE_ANSWER_MARGIN
    return RetentionLimits(
        before=bounces,
        mails_before=min(bounces, answers) if bounces else None,
        quarantined_before=before or _ago(kept.quarantine_days, now),
        digested=store.maintenance.digested(longer_editions(config), weekday_of(config)),
    )


def _ago(days: int, now: datetime) -> datetime | None:
    return now - timedelta(days=days) if days else None


def purge(
    store: Store,
    limits: RetentionLimits,
    *,
    keep: bool,
    stop: Callable[[], bool] = never,
    progress: Callable[[int], None] = no_progress,
) -> Counter[str]:
    """Delete what may be deleted until nothing is left or `stop`; return the number of rows per kind.

    `keep` adds what is deleted to the daily counts. `progress` gets the number of rows of each batch.
    """
    gone = Counter[str]()
    for what in Purgeable:
        numbers = store.maintenance.find_old(what, limits, most=BATCH)
        while numbers and not stop():
            with store.transaction() as tx:
                gone += tx.maintenance.delete_old(what, numbers, limits, keep=keep)
            progress(len(numbers))
            numbers = store.maintenance.find_old(what, limits, after=numbers[-1], most=BATCH)
    if gone:
        store.empty_log()
    return gone


def follow_subjects(store: Store, config: Config, *, stop: Callable[[], bool] = never) -> int:
    """Hash or remove stored subjects as configured; return how many changed."""
    if config.retention.subjects == "kept":
        return 0
    hashed, changed = config.retention.subjects == "hashed", 0
    while not stop() and (numbers := store.maintenance.find_subjects(hashed=hashed, most=BATCH)):
        with store.transaction() as tx:
            tx.maintenance.change_subjects(numbers, hashed=hashed)
        changed += len(numbers)
    return changed


def is_maintenance_due(context: Context) -> bool:
    """Tell whether a day has passed since the last maintenance. A clock that was set back makes it due."""
    last = context.store.maintenance.last_maintenance_at()
    return last is None or has_passed(EVERY, last, context.clock())


def _trusted_now(store: Store, now: datetime) -> datetime:
    """Return the time from which age is measured: a clock that is far ahead must not delete everything.

    It is that of the maintenance before, so that a wrong clock has a day to be put right.
    """
    last = store.maintenance.last_maintenance_at()
    return now if last is None else min(now, last)


def run_maintenance(context: Context, *, stop: Callable[[], bool] = never) -> Counter[str]:
    """Do a part of the daily maintenance and note when all is done; return the number of deleted rows."""
    store, config, now = context.store, context.config, context.clock()
    trusted, batches = _trusted_now(store, now), 0

    def pause() -> bool:
        nonlocal batches
        batches += 1
        return batches > BATCHES_A_CYCLE or stop()

    keep = config.retention.counters == "keep"
    gone = purge(store, limits_of(config, store, trusted), keep=keep, stop=pause)
    changed = follow_subjects(store, config, stop=pause)
    figures: dict[str, int | str] = {**gone, **({"subjects": changed} if changed else {})}
    with store.transaction() as tx:
        if figures:
            tx.maintenance.add_audit_entry("purge", "bounce_watch", figures, now)
            log.info("upkeep", **figures)
        if batches <= BATCHES_A_CYCLE and not stop():
            tx.maintenance.note_maintenance(now)
    return gone


ROUNDS = 20
"""How often the store is searched again for what arrived or was being sent in the meantime."""

PAUSE_SECONDS = 0.5

ForgetProgress = Callable[[int, int], None]
"""Called with the rows done and all rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was done. `pseudonym` is None if nothing was stored; `left` counts rows with the name in them.

    `log_emptied`: the log beside the file holds none of it any more.
    """

    pseudonym: str | None
    rows: Counter[str]
    left: int
    log_emptied: bool


def forget(
    store: Store,
    person: PersonIdentity,
    found: Found,
    *,
    by: str,
    now: datetime,
    progress: ForgetProgress = no_progress,
) -> Forgotten:
    """Replace or delete all that names a person; `found` is the result of a search before.

    It can be repeated, also after a crash: the next call continues.
    """
    if found.is_nothing:
        return Forgotten(pseudonym=None, rows=Counter(), left=0, log_emptied=store.empty_log())
    with store.transaction() as tx:
        pseudonym = tx.privacy.next_pseudonym()
    rows, left, rounds = Counter[str](), found, 0
    while not left.is_nothing and rounds < ROUNDS:
        if rounds:
            time.sleep(PAUSE_SECONDS)
        rows += _forget_found(store, person, left, pseudonym, by=by, now=now, progress=progress)
        left, rounds = store.privacy.search(person), rounds + 1
    with store.transaction() as tx:
        tx.maintenance.add_audit_entry(
            "forget", by, {NAMES.get(what, what): count for what, count in rows.items() if count}, now
        )
    return Forgotten(
        pseudonym=pseudonym, rows=rows, left=sum(map(len, left.rows.values())), log_emptied=store.empty_log()
    )


def _forget_found(
    store: Store,
    person: PersonIdentity,
    found: Found,
    pseudonym: str,
    *,
    by: str,
    now: datetime,
    progress: ForgetProgress,
) -> Counter[str]:
    done, total, rows = 0, sum(map(len, found.rows.values())), Counter[str]()
    for table, numbers in found.rows.items():
        for start in range(0, len(numbers), BATCH):
            batch = numbers[start : start + BATCH]
            with store.transaction() as tx:
                rows += tx.privacy.forget(table, batch, person, pseudonym, by=by, now=now)
            done += len(batch)
            progress(done, total)
    with store.transaction() as tx:
        rows += tx.privacy.forget_rest(person, pseudonym, by=by, now=now)
    return rows
