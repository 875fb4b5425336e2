"""Open what a command needs: the configuration, the store to read or to change, the whole context to work."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bounce_watch.config.models import Config
    from bounce_watch.pipeline import Context
    from bounce_watch.pipeline.context import Clock
    from bounce_watch.store import Store


@contextmanager
def asking(path: Path | None) -> Iterator["Store"]:
    """Open the store for questions only."""
    from bounce_watch.config.load import load_config
    from bounce_watch.store import open_store, place_of

    with open_store(place_of(load_config(path).store), read_only=True) as store:
        yield store


@contextmanager
def changing(path: Path | None) -> Iterator["Store"]:
    """Open an existing store for a small change, beside a service that may be running."""
    from bounce_watch.config.load import load_config
    from bounce_watch.store import open_store, place_of
    from bounce_watch.store.database.location import require_store

    place = place_of(load_config(path).store)
    require_store(place)
    with open_store(place, migrate=False) as store:
        yield store


@contextmanager
def holding(config: "Config", clock: "Clock | None" = None) -> Iterator["Store"]:
    """Be at work with the store and begin a run.

    Raises LockHeld when another process works with the same file; at a server several may.
    """
    from bounce_watch.pipeline.context import utc_now
    from bounce_watch.store import open_store, place_of, work_with

    now, place = clock or utc_now, place_of(config.store)
    with work_with(place) as watcher, open_store(place) as store:
        with store.transaction() as tx:
            tx.state.start_run(now())
            tx.outbox.recover(now(), tuple if watcher.is_alone else watcher.at_work)
        store.watcher = watcher
        yield store


@contextmanager
def working(config: "Config", clock: "Clock | None" = None) -> Iterator["Context"]:
    """Hold the store's lock and work with everything. Raises LockHeld when another process does."""
    from bounce_watch.pipeline import open_context
    from bounce_watch.pipeline.context import utc_now

    now = clock or utc_now
    with holding(config, now) as store, closing(open_context(config, store, now)) as work:
        yield work
