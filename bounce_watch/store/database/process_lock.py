"""The lock of a store file: flock(2) on `<store>.lock`, which the kernel releases when the process ends."""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from bounce_watch.store.database.errors import LockHeld
from bounce_watch.store.database.sqlite import file_fault
from bounce_watch.store.database.workers import OnlyWorker

_PAUSES = (0.02, 0.05, 0.1, 0)


class ProcessLock(OnlyWorker):
    """Hold the store's lock during a `with` block; the lock file contains the holder's pid."""

    def __init__(self, store: Path) -> None:
        super().__init__(f"process {os.getpid()}")
        self.path = store.with_name(store.name + ".lock")
        self._handle: int | None = None

    def __enter__(self) -> "ProcessLock":
        """Acquire the lock. Raises LockHeld, which names the holder, StoreNotWritable or StoreFull."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            what = f"The lock {self.path} cannot be written"
            raise file_fault(what, error, "Run as the account that owns the store.") from error
        if not _locked(handle):
            holder = _read_pid(handle)
            os.close(handle)
            raise _held(self.path, holder)
        # On a full disk the lock is held too, but the file cannot name the holder.
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            # The file is kept: if it were unlinked, two processes could lock two files of the same name.
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None


def find_holder(store: Path) -> int | None:
    """Return the pid of the process that works with this store, None when no process does."""
    path = store.with_name(store.name + ".lock")
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _read_pid(handle)
        finally:
            os.close(handle)
    return None


def _locked(handle: int) -> bool:
    # `find_holder` holds the lock for an instant, which must not stop a start: hence the retries.
    for pause in _PAUSES:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(pause)
        else:
            return True
    return False


def _read_pid(handle: int) -> int | None:
    written = os.pread(handle, 20, 0).strip()
    return int(written) if written.isdigit() else None


def _held(path: Path, holder: int | None) -> LockHeld:
    who = f"process {holder}" if holder else "another process"
    return LockHeld(
        f"Another bounce_watch works with this store already ({who}).",
        f"Stop it first, or wait until it is done; the lock is {path}.",
        holder,
    )
