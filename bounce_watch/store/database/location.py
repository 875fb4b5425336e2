"""Where a store lives, a file or a server, and how each is made ready and opened."""

from pathlib import Path

from sqlalchemy import Engine

from bounce_watch.config.models import Store as Settings
from bounce_watch.config.secrets import store_password
from bounce_watch.store.database import sqlite
from bounce_watch.store.database.driver_errors import translated
from bounce_watch.store.database.postgres import Server, open_server, require_order, server_at
from bounce_watch.store.database.process_lock import ProcessLock, find_holder
from bounce_watch.store.database.sqlite import for_writing
from bounce_watch.store.database.workers import PostgresWorker, find_others

Place = Path | Server


def place_of(settings: Settings) -> Place:
    """Return where the configuration says that the store lives. Raises SecretError or StorePermanent."""
    if settings.url is None:
        return settings.path
    return server_at(settings.url.get_secret_value(), store_password(settings))


def require_store(place: Place) -> None:
    """Raise StoreMissing when there is no file to read; a server is asked when it is opened."""
    if isinstance(place, Path):
        sqlite.require_file(place)


def prepare(place: Place) -> None:
    """Create the file, closed to others; a database on a server is made by its admin."""
    if isinstance(place, Path):
        sqlite.prepare_file(place)


def open_engine(place: Place, *, read_only: bool) -> Engine:
    """Return an engine whose connections carry our settings."""
    if isinstance(place, Server):
        return open_server(place, read_only=read_only)
    return sqlite.open_engine(place, read_only=read_only)


def require_fit(place: Place) -> None:
    """Raise StoreNotWritable for a database in which a store must not be made."""
    if isinstance(place, Path):
        return
    engine = open_engine(place, read_only=True)
    try:
        with translated():
            require_order(engine)
    finally:
        engine.dispose()


def work_with(place: Place) -> ProcessLock | PostgresWorker:
    """Return what a process enters that works with the store: the file's lock, or its presence at the server.

    To enter the lock raises LockHeld while another process works; at a server several may.
    """
    return ProcessLock(place) if isinstance(place, Path) else PostgresWorker(place)


def workers(place: Place) -> tuple[str, ...]:
    """Return the processes that work with the store. Raises StoreUnreachable."""
    if isinstance(place, Path):
        holder = find_holder(place)
        return () if holder is None else (f"process {holder}",)
    engine = open_engine(place, read_only=True)
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
