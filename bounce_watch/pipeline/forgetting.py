"""Forget one person: in short transactions, between which a running service writes."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bounce_watch.store import Store
from bounce_watch.store.maintenance.purge import BATCH
from bounce_watch.store.privacy.identity import Named
from bounce_watch.store.privacy.search import NAMES, Found

ROUNDS = 20
"""How often the store is searched again for what came or was being sent meanwhile."""

PAUSE_SECONDS = 0.5

Progress = Callable[[int, int], None]
"""Called with the rows done and all rows."""


def _silent(_done: int, _all: int) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was done. `pseudonym` is None where nothing was stored, `left` counts rows that still name them.

    `log_emptied`: the log beside the file holds nothing of it any more.
    """

    pseudonym: str | None
    rows: Counter[str]
    left: int
    log_emptied: bool


def forget(
    store: Store, person: Named, found: Found, *, by: str, now: datetime, progress: Progress = _silent
) -> Forgotten:
    """Replace or delete all that names a person; `found` is what the store said before.

    Repeating it finds nothing, or what came since. An end in the middle is taken up by the next call.
    """
    if found.is_nothing:
        return Forgotten(pseudonym=None, rows=Counter(), left=0, log_emptied=store.empty_log())
    with store.transaction() as tx:
        pseudonym = tx.next_pseudonym()
    rows, left, rounds = Counter[str](), found, 0
    while not left.is_nothing and rounds < ROUNDS:
        if rounds:
            time.sleep(PAUSE_SECONDS)
        rows += _once(store, person, left, pseudonym, by=by, now=now, progress=progress)
        left, rounds = store.named(person), rounds + 1
    with store.transaction() as tx:
        tx.note_deed(
            "forget", by, {NAMES.get(what, what): count for what, count in rows.items() if count}, now
        )
    return Forgotten(
        pseudonym=pseudonym, rows=rows, left=sum(map(len, left.rows.values())), log_emptied=store.empty_log()
    )


def _once(
    store: Store, person: Named, found: Found, pseudonym: str, *, by: str, now: datetime, progress: Progress
) -> Counter[str]:
    done, total, rows = 0, sum(map(len, found.rows.values())), Counter[str]()
    for table, numbers in found.rows.items():
        for batch in _batches(numbers):
            with store.transaction() as tx:
                rows += tx.forget(table, batch, person, pseudonym, by=by, now=now)
            done += len(batch)
            progress(done, total)
    with store.transaction() as tx:
        rows += tx.forget_rest(person, pseudonym, by=by, now=now)
    return rows


def _batches(numbers: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH)]
