"""Open what a command needs: the store to read or to change, or the whole context of a run."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.store import Store, open_store, store_location, work_with
from bounce_watch.store.database.location import require_store

if TYPE_CHECKING:
    from bounce_watch.pipeline import Context
    from bounce_watch.pipeline.context import Clock


@contextmanager
def read_store(path: Path | None) -> Iterator[Store]:
    """Open the store that the configuration file names, for reading only."""
    with open_store(store_location(load_config(path).store), read_only=True) as store:
        yield store


@contextmanager
def change_store(path: Path | None) -> Iterator[Store]:
    """Open an existing store for a small change, beside a service that may be running."""
    place = store_location(load_config(path).store)
    require_store(place)
    with open_store(place, migrate=False) as store:
        yield store


def _utc_now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def run_store(config: Config, clock: "Clock" = _utc_now) -> Iterator[Store]:
    """Open the store and begin a run.

    Raises LockHeld when another process runs with the same file; several may run with one server.
    """
    place = store_location(config.store)
    with work_with(place) as worker, open_store(place) as store:
        with store.transaction() as tx:
            tx.state.start_run(clock())
            tx.outbox.recover(clock(), tuple if worker.is_alone else worker.at_work)
        store.worker = worker
        yield store


@contextmanager
def run_context(config: Config, clock: "Clock" = _utc_now) -> Iterator["Context"]:
    """Begin a run with everything it needs. Raises LockHeld as `run_store` does."""
    # Late: commands that only read the store start in half the time without the pipeline.
    from bounce_watch.pipeline import open_context

    with run_store(config, clock) as store, closing(open_context(config, store, clock)) as work:
        yield work
