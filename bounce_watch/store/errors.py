"""What can go wrong with the store, each with the sentence that repairs it.

StoreError
├── StoreTemporary       nothing was written; the same call may succeed later
│   ├── StoreBusy        another process holds the database
│   ├── StoreFull        the disk or its quota is full
│   └── LockHeld         another bounce_watch works with this store
└── StorePermanent       a person must act first
    ├── StoreMissing     no database yet
    ├── StoreNotWritable the file or its folder refuses us
    ├── StoreDamaged     the file is no database, or a damaged one
    ├── StoreTooOld      the file waits for a migration
    ├── StoreTooNew      a newer bounce_watch wrote the file
    └── NotThere         no row has this number, or its state forbids the change
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError


class StoreError(Exception):
    """Base of all faults of the store. `repair` says what a person can do, empty if nothing."""

    def __init__(self, message: str, repair: str = "") -> None:
        super().__init__(message)
        self.repair = repair


class StoreTemporary(StoreError):
    """Nothing was written; the same call may succeed later."""


class StoreBusy(StoreTemporary):
    """Another process holds the database."""


class StoreFull(StoreTemporary):
    """The disk, its quota or the database's own limit is full."""


class LockHeld(StoreTemporary):
    """Another process works with this store. `pid` is None when it has not said who it is."""

    def __init__(self, message: str, repair: str = "", pid: int | None = None) -> None:
        super().__init__(message, repair)
        self.pid = pid


class StorePermanent(StoreError):
    """A person must act before the same call can succeed."""


class StoreMissing(StorePermanent):
    """There is no database yet."""


class StoreNotWritable(StorePermanent):
    """The file or its folder cannot be opened or written by this account."""


class StoreDamaged(StorePermanent):
    """The file is not a database, or a damaged one. It is left as it is."""


class StoreTooOld(StorePermanent):
    """The file was written by an older version and only the service migrates it."""


class StoreTooNew(StorePermanent):
    """The file was written by a newer version."""


class NotThere(StorePermanent):
    """No row has this number, or its state does not allow the change."""


_FAULTS: dict[int, tuple[type[StoreError], str, str]] = {
    sqlite3.SQLITE_BUSY: (StoreBusy, "The database is busy.", "Try again in a moment."),
    sqlite3.SQLITE_LOCKED: (StoreBusy, "The database is busy.", "Try again in a moment."),
    sqlite3.SQLITE_NOMEM: (StoreTemporary, "The machine is short of memory.", "Free memory; we try again."),
    sqlite3.SQLITE_INTERRUPT: (StoreBusy, "The query was interrupted.", "Try again."),
    sqlite3.SQLITE_FULL: (StoreFull, "The disk is full.", "Free space; we go on by ourselves."),
    sqlite3.SQLITE_IOERR: (
        StoreTemporary,
        "The disk did not take or give the bytes.",
        "Check disk and kernel log.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        StoreDamaged,
        "The database is damaged.",
        "Stop the service, keep the file and restore the newest backup.",
    ),
    sqlite3.SQLITE_NOTADB: (
        StoreDamaged,
        "The file is not a database.",
        "Check store.path in the configuration; the file was not touched.",
    ),
    sqlite3.SQLITE_READONLY: (
        StoreNotWritable,
        "The database is read-only for this account.",
        "Run as the account that owns the file, or correct its owner.",
    ),
    # SQLite says no more: a full disk and a lack of file handles too. Rights were looked at before.
    sqlite3.SQLITE_CANTOPEN: (
        StoreTemporary,
        "The database cannot be opened now.",
        "Check that the disk has room, and that this account may write in its folder.",
    ),
    sqlite3.SQLITE_PERM: (
        StoreNotWritable,
        "This account may not open the database.",
        "Run as the account that owns the file, or correct its owner.",
    ),
}


def read_fault(error: BaseException) -> StoreError | None:
    """Return the fault behind an exception of the driver, None when it is a bug of ours."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(origin, sqlite3.DatabaseError):
        return None
    code = getattr(origin, "sqlite_errorcode", None)
    if code is None or (code & 0xFF) not in _FAULTS:
        return None
    kind, what, repair = _FAULTS[code & 0xFF]
    return kind(what, repair)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's exceptions into a StoreError, chained; bugs pass unchanged."""
    try:
        yield
    except (DBAPIError, sqlite3.DatabaseError) as error:
        fault = read_fault(error)
        if fault is None:
            raise
        raise fault from error
