"""The location of a store, a file or a server, and how to prepare and open it."""

from pathlib import Path

from sqlalchemy import Engine

from bounce_watch.config.models import Store as Settings
from bounce_watch.config.secrets import store_lookup
from bounce_watch.store.database import sqlite
from bounce_watch.store.database.driver_errors import translated
from bounce_watch.store.database.postgres import Server, open_server, require_order, server_at
from bounce_watch.store.database.process_lock import ProcessLock, find_holder
from bounce_watch.store.database.sqlite import for_writing
from bounce_watch.store.database.workers import PostgresWorker, find_others

StoreLocation = Path | Server


def store_location(settings: Settings) -> StoreLocation:
    """Return the location that the configuration names. Raises SecretError or StorePermanent."""
    if settings.url is None:
        return settings.path
    return server_at(settings.url.get_secret_value(), store_lookup(settings).read())


def require_store(location: StoreLocation) -> None:
    """Raise StoreMissing when the file does not exist; a server is checked when it is opened."""
    if isinstance(location, Path):
        sqlite.require_file(location)


def prepare(location: StoreLocation) -> None:
    """Create the file with mode 0600; the admin creates a database on a server."""
    if isinstance(location, Path):
        sqlite.prepare_file(location)


def exists(location: StoreLocation) -> bool:
    """Tell whether the file exists; a database on a server always does."""
    return not isinstance(location, Path) or location.exists()


def remove_empty(location: StoreLocation) -> None:
    """Remove a file that was created but got no content, so that the next start creates it again."""
    if isinstance(location, Path) and location.is_file() and location.stat().st_size == 0:
        location.unlink()


def open_engine(location: StoreLocation, *, read_only: bool) -> Engine:
    if isinstance(location, Server):
        return open_server(location, read_only=read_only)
    return sqlite.open_engine(location, read_only=read_only)


def require_fit(location: StoreLocation) -> None:
    """Raise StoreNotWritable for a database whose encoding or sort order does not suit a store."""
    if isinstance(location, Path):
        return
    engine = open_engine(location, read_only=True)
    try:
        with translated():
            require_order(engine)
    finally:
        engine.dispose()


def work_with(location: StoreLocation) -> ProcessLock | PostgresWorker:
    """Return the context that a process enters to work with the store: a file lock or a server session.

    Entering the file lock raises LockHeld while another process works; a server allows several.
    """
    return ProcessLock(location) if isinstance(location, Path) else PostgresWorker(location)


def workers(location: StoreLocation) -> tuple[str, ...]:
    """Return the names of the processes that work with the store. Raises StoreUnreachable."""
    if isinstance(location, Path):
        holder = find_holder(location)
        return () if holder is None else (f"process {holder}",)
    engine = open_engine(location, read_only=True)
    try:
        with translated(), engine.connect() as connection:
            return tuple(name for _, name in find_others(connection))
    finally:
        engine.dispose()


def for_reading(engine: Engine) -> Engine:
    """Return the engine with transactions that read one snapshot, as SQLite's always do."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def for_one_row(engine: Engine) -> Engine:
    """Return the engine with transactions that lock single rows instead of the whole store.

    A file has only one writer at a time.
    """
    return for_writing(engine) if engine.dialect.name == "sqlite" else engine
