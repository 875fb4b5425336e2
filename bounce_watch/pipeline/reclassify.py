"""Judge stored bounces again with the catalogue in force, in short transactions beside a running service.

Nothing is sent and no incident opens: only the verdicts of bounces change. A bounce remembers which catalogue
judged it, so that the next call continues where one was killed.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bounce_watch.classify import Catalogue, judge_again
from bounce_watch.model import Bounce, Cause, Owner
from bounce_watch.source.interface import no_progress
from bounce_watch.store import Store, StoreQueries
from bounce_watch.store.maintenance.maintenance import BATCH
from bounce_watch.store.messages.verdicts import StoredVerdict

MAX_EXAMPLES = 3
MAX_COUNTED = 2_000
"""The newest bounces that are judged to estimate what a new catalogue changes; it takes about a second."""


class Change(NamedTuple):
    """The verdict before and after."""

    cause: Cause
    owner: Owner
    new_cause: Cause
    new_owner: Owner


@dataclass(slots=True)
class Changes:
    """What was judged, and by change of cause or owner how many bounces, and the numbers of a few."""

    judged: int = 0
    counts: Counter[Change] = field(default_factory=Counter)
    examples: dict[Change, list[int]] = field(default_factory=dict)

    def add(self, stored: StoredVerdict, now: Bounce) -> None:
        was, self.judged = stored.bounce, self.judged + 1
        if (was.cause, was.owner) != (now.cause, now.owner):
            change = Change(was.cause, was.owner, now.cause, now.owner)
            self.counts[change] += 1
            known = self.examples.setdefault(change, [])
            known += [stored.id] if len(known) < MAX_EXAMPLES else []


def compare(found: Iterable[StoredVerdict], catalogue: Catalogue) -> Changes:
    """Return what this catalogue would change about bounces."""
    changes = Changes()
    for stored in found:
        changes.add(stored, _again(stored, catalogue))
    return changes


def count_otherwise(store: Store, catalogue: Catalogue) -> Changes:
    """Return what this catalogue would change about the newest `MAX_COUNTED` bounces of other catalogues."""
    return compare(
        store.verdicts.of_other_catalogues(catalogue.version, most=MAX_COUNTED, newest=True), catalogue
    )


def note_otherwise(store: Store, catalogue: Catalogue) -> None:
    """Count for the digest what a new catalogue would change, once for each catalogue."""
    if store.verdicts.otherwise(catalogue.version) is None:
        count = count_otherwise(store, catalogue).counts.total()
        with store.transaction() as tx:
            tx.verdicts.note_otherwise(catalogue.version, count)


def reclassify(
    store: Store,
    catalogue: Catalogue,
    *,
    since: datetime | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] = no_progress,
) -> Changes:
    """Judge again all bounces that another catalogue judged; return what changed, or would with `dry_run`.

    `progress` gets the number of bounces of each portion.
    """
    changes, after = Changes(), 0
    while found := _find(store, catalogue, after, since):
        judged = {stored: _again(stored, catalogue) for stored in found}
        if not dry_run:
            with store.transaction() as tx:
                # Read again: since then a better copy may have come, or a person may have been forgotten.
                found = _find(tx, catalogue, after, since)
                judged = {stored: judged.get(stored) or _again(stored, catalogue) for stored in found}
                tx.verdicts.replace({stored.id: bounce for stored, bounce in judged.items()})
        for stored, bounce in judged.items():
            changes.add(stored, bounce)
        progress(len(judged))
        after = max((stored.id for stored in judged), default=after)
    return changes


def restore(
    store: Store, *, since: datetime | None = None, progress: Callable[[int], None] = no_progress
) -> int:
    """Give all bounces that were judged again their first verdicts back; return how many."""
    count = 0
    while numbers := store.verdicts.judged_again(since=since, most=BATCH):
        with store.transaction() as tx:
            tx.verdicts.restore(numbers)
        progress(len(numbers))
        count += len(numbers)
    return count


def _find(
    queries: StoreQueries, catalogue: Catalogue, after: int, since: datetime | None
) -> tuple[StoredVerdict, ...]:
    return queries.verdicts.of_other_catalogues(catalogue.version, after=after, since=since, most=BATCH)


def _again(stored: StoredVerdict, catalogue: Catalogue) -> Bounce:
    return judge_again(stored.bounce, stored.report, catalogue)
