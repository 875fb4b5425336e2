"""Where a store lives, a file or a server, and how each is made ready and opened."""

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
    """Return where the configuration says that the store lives. Raises SecretError or StorePermanent."""
    if settings.url is None:
        return settings.path
    return server_at(settings.url.get_secret_value(), store_lookup(settings).read())


def require_store(location: StoreLocation) -> None:
    """Raise StoreMissing when there is no file to read; a server is asked when it is opened."""
    if isinstance(location, Path):
        sqlite.require_file(location)


def prepare(location: StoreLocation) -> None:
    """Create the file, closed to others; a database on a server is made by its admin."""
    if isinstance(location, Path):
        sqlite.prepare_file(location)


def open_engine(location: StoreLocation, *, read_only: bool) -> Engine:
    """Return an engine whose connections carry our settings."""
    if isinstance(location, Server):
        return open_server(location, read_only=read_only)
    return sqlite.open_engine(location, read_only=read_only)


def require_fit(location: StoreLocation) -> None:
    """Raise StoreNotWritable for a database in which a store must not be made."""
    if isinstance(location, Path):
        return
    engine = open_engine(location, read_only=True)
    try:
        with translated():
            require_order(engine)
    finally:
        engine.dispose()


def work_with(location: StoreLocation) -> ProcessLock | PostgresWorker:
    """Return what a process enters that works with the store: the file's lock, or its presence at the server.

    To enter the lock raises LockHeld while another process works; at a server several may.
    """
    return ProcessLock(location) if isinstance(location, Path) else PostgresWorker(location)


def workers(location: StoreLocation) -> tuple[str, ...]:
    """Return the processes that work with the store. Raises StoreUnreachable."""
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
    """Return the same engine with transactions that see one state throughout; those of SQLite do."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def for_one_row(engine: Engine) -> Engine:
    """Return the same engine with transactions that write to rows which they lock one by one.

    A file has one writer at a time, whatever it writes.
    """
    return for_writing(engine) if engine.dialect.name == "sqlite" else engine
