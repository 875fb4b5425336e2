"""Errors of the store, each with its repair.

StoreError
├── StoreTemporary       nothing was written; the same call may succeed later
│   ├── StoreBusy        another process holds the database
│   ├── StoreUnreachable the database's server does not answer
│   │   └── StoreRefused the server refuses us: at a start an admin must act, later it may pass
│   ├── StoreFull        the disk or its quota is full
│   └── LockHeld         another bounce_watch works with this store
└── StorePermanent       a user must act first
    ├── StoreMissing     no database yet
    ├── StoreNotWritable the file or its folder cannot be opened or written
    ├── StoreDamaged     the file is not a database, or is damaged
    ├── StoreTooOld      the file needs a migration
    ├── StoreTooNew      a newer bounce_watch wrote the file
    └── NotThere         no row has this number, or its state forbids the change
        └── AlreadyStored another watcher stored the message at this location
"""

from bounce_watch.model.errors import RepairableError


class StoreError(RepairableError):
    """Base of all store errors."""


class StoreTemporary(StoreError):
    """Nothing was written; the same call may succeed later."""


class StoreBusy(StoreTemporary):
    """Another process holds the database."""


class StoreUnreachable(StoreTemporary):
    """The database's server does not answer, or ended the connection."""


class StoreRefused(StoreUnreachable):
    """The database's server refuses the sign-in. A watcher that worked before waits until it passes."""


class StoreFull(StoreTemporary):
    """The disk, its quota or the database's own limit is full."""


class LockHeld(StoreTemporary):
    """Another process works with this store. `pid` is None when it is unknown."""

    def __init__(self, message: str, repair: str = "", pid: int | None = None) -> None:
        super().__init__(message, repair)
        self.pid = pid


class StorePermanent(StoreError):
    """A user must act before the same call can succeed."""


class StoreMissing(StorePermanent):
    """There is no database yet."""


class StoreNotWritable(StorePermanent):
    """The file or its folder cannot be opened or written by this account."""


class StoreDamaged(StorePermanent):
    """The file is not a database, or is damaged. It is not changed."""


class StoreTooOld(StorePermanent):
    """The file was written by an older version. Only the service migrates it."""


class StoreTooNew(StorePermanent):
    """The file was written by a newer version."""


class NotThere(StorePermanent):
    """No row has this number, or its state does not allow the change."""


class AlreadyStored(NotThere):
    """The message at this location was stored before, perhaps by another watcher."""
