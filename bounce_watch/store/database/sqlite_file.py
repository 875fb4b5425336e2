"""Back up and vacuum the SQLite file, and empty its log.

https://sqlite.org/backup.html and https://sqlite.org/lang_vacuum.html, read 2026-11.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bounce_watch.store.database.driver_errors import translated
from bounce_watch.store.database.errors import NotThere, StoreDamaged, StoreError, StoreFull
from bounce_watch.store.database.sqlite import BUSY_SECONDS, file_fault, require_file

PAGES_AT_ONCE = 512
"""Pages copied between two updates of the progress bar."""

Progress = Callable[[int, int], None]
"""Called with the pages copied and all pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A finished and checked backup. `size` is in bytes, `revision` is that of the schema."""

    path: Path
    size: int
    revision: str | None


def back_up_to(
    source: Path, target: Path, *, replace: bool = False, progress: Progress = lambda _done, _all: None
) -> Copied:
    """Copy the store to `target` (mode 0600) while others may write, and check the copy.

    The copy gets its name only when it is complete and sound. Raises NotThere when `target` exists and
    `replace` is False, and StoreNotWritable, StoreFull or StoreDamaged; then no file is left behind.
    """
    require_file(source)
    if target.exists() and target.samefile(source):
        raise NotThere(f"{target} is the store itself.", "Choose another name for the backup.")
    if target.exists() and not replace:
        raise _exists(target)
    part = _empty(target)
    try:
        with translated():
            revision = _copy(source, part, progress)
        _publish(part, target, replace=replace)
    finally:
        for leftover in (part, *companions(part)):
            leftover.unlink(missing_ok=True)
    return Copied(path=target, size=target.stat().st_size, revision=revision)


def _empty(target: Path) -> Path:
    """Create the empty file that becomes the backup, with mode 0600."""
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise _unwritable(target, error) from error
    return part


def companions(path: Path) -> tuple[Path, ...]:
    """Return the paths of the files that SQLite keeps beside an open database."""
    return tuple(path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal"))


def _copy(source: Path, part: Path, progress: Progress) -> str | None:
    def step(_status: int, left: int, pages: int) -> None:
        progress(pages - left, pages)

    with _opened(source) as live, closing(sqlite3.connect(part, isolation_level=None)) as copy:
        # One read transaction for all steps: otherwise every commit of the service restarts the copy.
        live.execute("BEGIN")
        live.execute("SELECT 1 FROM sqlite_master").fetchone()
        live.backup(copy, pages=PAGES_AT_ONCE, progress=step, sleep=0)
        live.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode=DELETE")  # one file without a log beside it
        return _check_copy(copy, part)


def _check_copy(copy: sqlite3.Connection, part: Path) -> str | None:
    found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreDamaged(
            f"The copy {part.name} is damaged: {found}.",
            "Check the store itself: bounce-watch db check. An older backup may be sound.",
        )
    with contextlib.suppress(sqlite3.OperationalError):
        row = copy.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])
    return None


def _publish(part: Path, target: Path, *, replace: bool) -> None:
    """Give the finished copy its name, and sync the file and its folder to disk."""
    try:
        _sync(part)
        if replace:
            part.replace(target)
        else:
            os.link(part, target)  # fails when a file of that name has appeared meanwhile
        _sync(target.parent)
    except FileExistsError:
        raise _exists(target) from None
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(target: Path, error: OSError) -> StoreError:
    repair = "Choose a folder that this account may write."
    return file_fault(f"The backup {target} cannot be written", error, repair)


def _exists(target: Path) -> NotThere:
    return NotThere(f"{target} exists already.", "Choose another name, or replace it with --force.")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def vacuum(path: Path) -> tuple[int, int]:
    """Rewrite the file without its unused pages; return its size in bytes before and after.

    The caller holds the process lock. Needs free space of twice the size of the file.
    """
    require_file(path)
    before = path.stat().st_size
    free = shutil.disk_usage(path.parent).free
    if free < 2 * before:
        raise StoreFull(
            f"{path} cannot be written anew: {2 * before >> 20} MB are needed, {free >> 20} MB are free.",
            "Free space first. Deleted rows leave room in the file that is used again, so this can wait.",
        )
    with translated(), _opened(path) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, path.stat().st_size


def empty_log(path: Path) -> bool:
    """Write the log (-wal) into the file and empty it, so that it keeps no deleted rows.

    Returns False when a reader prevents it; the service tries again later.
    """
    with translated(), _opened(path) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    address = path.absolute().as_uri() + "?mode=rw"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    with closing(connection):
        connection.execute("PRAGMA secure_delete=ON")
        yield connection
