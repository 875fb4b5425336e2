"""Open the SQLite file: mode 0600, WAL, and every commit synced to disk.

https://sqlite.org/pragma.html and https://sqlite.org/wal.html, read 2026-11.
"""

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from bounce_watch.store.database.errors import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreMissing,
    StoreNotWritable,
    StoreTemporary,
)

_FULL = {errno.ENOSPC, errno.EDQUOT}
_PASSING = {errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EFBIG}


def file_fault(what: str, error: OSError, repair: str) -> StoreError:
    """Return the store error for an OSError. `repair` is used when a permission is missing."""
    text = f"{what}: {error.strerror}."
    if error.errno in _FULL:
        return StoreFull(text, "Free space; we go on by ourselves.")
    if error.errno in _PASSING:
        return StoreTemporary(text, "Check disk, memory and limits; we try again.")
    return StoreNotWritable(text, repair)


BUSY_SECONDS = 10
_JOURNAL_LIMIT = 64 * 1024 * 1024
_CACHE_KIB = 6 * 1024  # more memory saved no time: the operating system caches the file too
WRITES = "bounce_watch_writes"
"""Execution option: True acquires the write lock at the start of a transaction."""


def prepare_file(path: Path) -> None:
    """Create the empty file with mode 0600, or set the mode of an existing one, which must not be empty."""
    if path.is_file() and not any(map(_size, (path, *_logs(path)))):
        raise empty_store(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        repair = "Check store.path in the configuration, and that this account may write there."
        raise file_fault(f"The store {path} cannot be written", error, repair) from error
    try:
        if not os.access(path.parent, os.W_OK | os.X_OK):
            # SQLite creates its log beside the file.
            raise StoreNotWritable(
                f"Nothing can be written beside {path}.", "Let this account write in that folder."
            )
        if os.fstat(handle).st_mode & 0o077:
            os.fchmod(handle, 0o600)
    except PermissionError as error:
        raise StoreNotWritable(
            f"The store {path} is readable by others and belongs to another account.",
            f"Run as the account that owns it, or set its mode: chmod 600 {path}",
        ) from error
    finally:
        os.close(handle)


def require_file(path: Path) -> None:
    """Raise StoreMissing when the file is missing, StoreDamaged when it is empty."""
    try:
        exists, filled = path.exists(), path.is_file() and any(map(_size, (path, *_logs(path))))
    except OSError as error:
        raise StoreNotWritable(
            f"The store {path} cannot be looked at: {error.strerror}.", "Run as the account that owns it."
        ) from error
    if exists and not filled:
        raise empty_store(path)
    if not exists:
        raise StoreMissing(
            f"There is no store at {path} yet.",
            "Run `bounce-watch run --once` or `bounce-watch ingest PATH` first, or check store.path.",
        )


def _logs(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-journal")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def empty_store(path: Path) -> StoreDamaged:
    """Return the fault of a file without bytes: a new store would send everything again."""
    return StoreDamaged(
        f"The store {path} is empty: its content was lost.",
        f"Put the newest backup there . Only to start anew: rm {path}",
    )


def open_engine(path: Path, *, read_only: bool) -> Engine:
    """Return an engine whose connections have our settings, without opening the file yet."""
    address = path.absolute().as_uri() + ("?mode=ro" if read_only else "?mode=rw")

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _configure(connection, read_only=read_only)
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=QueuePool)
    event.listen(engine, "begin", _begin)
    return engine


def for_writing(engine: Engine) -> Engine:
    """Return the engine with transactions that acquire the write lock at their start."""
    return engine.execution_options(**{WRITES: True})


def _begin(connection: Connection) -> None:
    # The driver starts a transaction late or never. A deferred transaction that becomes a writer fails
    # with SQLITE_BUSY at once, regardless of the timeout. Hence our own BEGIN.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _configure(connection: sqlite3.Connection, *, read_only: bool) -> None:
    settings: list[tuple[str, Any]] = [("foreign_keys", "ON"), ("trusted_schema", "OFF")]
    if read_only:
        settings += [("query_only", "ON")]
    else:
        settings += [
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("secure_delete", "ON"),
            ("journal_size_limit", _JOURNAL_LIMIT),
            ("cache_size", -_CACHE_KIB),
        ]
    for name, value in settings:
        connection.execute(f"PRAGMA {name}={value}").close()
