"""Check a store: the files, pages and references of SQLite, or the settings of the PostgreSQL server.

Each check names the repair.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from bounce_watch.model.check import Check
from bounce_watch.store.database.driver_errors import translated
from bounce_watch.store.database.errors import StoreError
from bounce_watch.store.database.location import require_fit
from bounce_watch.store.database.postgres import Server, open_server
from bounce_watch.store.database.sqlite import BUSY_SECONDS, require_file
from bounce_watch.store.database.sqlite_file import companions

_RESTORE = (
    "Stop the service, keep this file and its -wal, and put the newest sound backup in its place; "
    "or rescue rows with sqlite3's .recover."
)
_MOSTLY_EMPTY = 4
"""A vacuum is suggested when more than one page in this many is unused."""


def check_file(path: Path) -> Iterator[Check]:
    """Yield a check of the file modes, the pages, the references and the unused space."""
    require_file(path)
    yield check_modes(path)
    address = path.absolute().as_uri() + "?mode=ro"
    try:
        with translated(), closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
            yield _pages(connection)
            yield _references(connection)
            yield _room(connection)
    except StoreError as error:
        yield Check("file", "failure", str(error), error.repair or _RESTORE)


def check_modes(path: Path) -> Check:
    """Check that only the owner can read the store, its log and its backups."""
    family = [
        path,
        *companions(path),
        path.with_name(path.name + ".lock"),
        *path.parent.glob(f"{path.name}.*"),
    ]
    open_ones = sorted({file for file in family if file.is_file() and file.stat().st_mode & 0o077})
    if open_ones:
        names = " ".join(f"'{file}'" for file in open_ones)
        return Check("files", "failure", f"Others may read {names}.", f"chmod 600 {names}")
    return Check("files", "ok", f"{path} and what lies beside it are closed to others")


def check_backups(path: Path, kept_days: int, now: datetime) -> Check:
    """Count the backups beside the store; warn about those older than the retention time."""
    backups = sorted(path.parent.glob(f"{path.name}.*.bak"))
    if not backups:
        return Check("backups", "ok", "none beside the store; `bounce-watch db backup FILE` makes one")
    age = {file: now - datetime.fromtimestamp(file.stat().st_mtime, UTC) for file in backups}
    stale = [file for file in backups if kept_days and age[file] > timedelta(days=kept_days)]
    if stale:
        names = " ".join(f"'{file}'" for file in stale)
        text = f"{len(stale)} backups hold what the store itself has deleted since ({kept_days} days)."
        return Check("backups", "warning", text, f"rm {names}")
    newest = min(age.values()).days
    return Check("backups", "ok", f"{len(backups)} beside the store, the newest {newest} days old")


def _pages(connection: sqlite3.Connection) -> Check:
    found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
    if found == ["ok"]:
        return Check("pages", "ok", "every page and index is sound")
    return Check("pages", "failure", f"The database is damaged: {'; '.join(found)}.", _RESTORE)


def _references(connection: sqlite3.Connection) -> Check:
    found = connection.execute("PRAGMA foreign_key_check").fetchmany(1_000)
    if not found:
        return Check("references", "ok", "every row finds the rows that it names")
    tables = ", ".join(sorted({str(row[0]) for row in found}))
    text = f"{len(found)} rows name others that are gone (in {tables})."
    return Check("references", "failure", text, "Did another program write to the file? " + _RESTORE)


def _room(connection: sqlite3.Connection) -> Check:
    def value(name: str) -> int:
        return int(connection.execute(f"PRAGMA {name}").fetchone()[0])

    pages, unused = value("page_count"), value("freelist_count")
    megabytes = value("page_size") * pages / 2**20
    text = f"{megabytes:.1f} MB, {100 * unused // max(pages, 1)} % of it unused"
    if unused * _MOSTLY_EMPTY > pages and megabytes > 10:
        return Check("room", "warning", text, "bounce-watch db vacuum gives it back (the service must rest)")
    return Check("room", "ok", text)


_OFF = text("SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'")
_SIZE = text("SELECT pg_database_size(current_database()), current_setting('server_version')")


def check_server(server: Server) -> Iterator[Check]:
    """Yield a check of the sign-in, the size, the durability of commits and the sort order of text."""
    engine = open_server(server, read_only=True)
    try:
        with translated(), engine.connect() as connection:
            yield _size(connection)
            yield _durability(connection)
        require_fit(server)
        yield Check("order", "ok", "text is in UTF-8 and sorted by code point")
    except StoreError as error:
        yield Check("server", "failure", str(error), error.repair)
    finally:
        engine.dispose()


def _size(connection: Connection) -> Check:
    size, version = connection.execute(_SIZE).one()
    return Check("server", "ok", f"PostgreSQL {version.split()[0]}, {size / 2**20:.1f} MB")


def _durability(connection: Connection) -> Check:
    off = sorted(connection.execute(_OFF).scalars())
    if not off:
        return Check("durability", "ok", "what is committed is on the disk")
    text = f"The server runs with {' and '.join(off)} off: a power failure destroys the database."
    return Check("durability", "failure", text, f"Set {' and '.join(off)} to on in postgresql.conf")
