"""Translate driver errors, by SQLite result code or PostgreSQL SQLSTATE, into store errors.

https://sqlite.org/rescode.html and https://www.postgresql.org/docs/15/errcodes-appendix.html, read 2026-11.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from bounce_watch.store.database.errors import (
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreNotWritable,
    StoreRefused,
    StoreTemporary,
    StoreUnreachable,
)

Fault = tuple[type[StoreError], str, str]
"""The error class, its message and its repair."""

_BUSY: Fault = (StoreBusy, "The database is busy.", "Try again in a moment.")
_SQLITE: dict[int, Fault] = {
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL), _BUSY),
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
    # SQLite also reports this for a full disk or too few file handles. Permissions were checked before.
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

_UNREACHABLE = "Check that the server runs and can be reached; we try again by ourselves."
_SIGN_IN = "Check store.url and its password, that database and role exist, and pg_hba.conf on the server."
_MORE_CONNECTIONS = "Raise max_connections there, or the role's limit; we try again by ourselves."
_CONNECTING = {"OperationalError", "ConnectionTimeout", "InterfaceError"}
_CROWDED = ("too many clients", "too many connections", "connection slots", "max_client_conn")
_REFUSED = (
    *("authentication failed", "no password supplied", "pg_hba.conf", "not permitted to log in"),
    *("does not exist", "permission denied", "SSL was required", "certificate verify failed"),
)
"""Texts of a rejected connection that an admin must act on. All others may pass: a server that is starting
says so in the language of its machine."""

_ENDED: Fault = (StoreUnreachable, "The database's server ended the connection.", _UNREACHABLE)

_OURS = ("22", "23", "42")
"""Classes of errors in our values and statements: all others are the server's."""

_SERVER: dict[str, Fault] = {
    "08": (StoreUnreachable, "The connection to the database broke.", _UNREACHABLE),
    "25P03": (StoreUnreachable, "The server ended a transaction that stood still.", "We try again."),
    "25P04": (StoreUnreachable, "The server ended a transaction that took too long.", "We try again."),
    "25006": (
        StoreUnreachable,
        "The database takes no changes now: it is a standby, or the server was set to read-only.",
        "Name the primary server in store.url; target_session_attrs=read-write finds it among several.",
    ),
    "28": (StoreRefused, "The database's server refuses us.", _SIGN_IN),
    "3D000": (StoreRefused, "There is no such database on the server.", _SIGN_IN),
    "40001": (StoreBusy, "Another watcher changed the same rows.", "Try again in a moment."),
    "40P01": (StoreBusy, "Two watchers waited for one another.", "Try again in a moment."),
    "42501": (
        StoreNotWritable,
        "The role may not do this in the database.",
        "Make it the database's owner: ALTER DATABASE name OWNER TO role",
    ),
    "53100": (StoreFull, "The disk of the database's server is full.", "Free space; we go on by ourselves."),
    "53200": (StoreTemporary, "The database's server is short of memory.", "Free memory; we try again."),
    "53300": (StoreBusy, "The database's server has too many connections.", _MORE_CONNECTIONS),
    "55P03": _BUSY,
    "57014": (StoreBusy, "The query was interrupted.", "Try again."),
    "57P01": _ENDED,
    "57P02": _ENDED,
    "57P03": (StoreUnreachable, "The database's server is starting or stopping.", _UNREACHABLE),
    "57P05": _ENDED,
    "58": (StoreTemporary, "The server's disk did not take or give the bytes.", "Read the server's log."),
    "XX001": (StoreDamaged, "The database is damaged.", "Stop the watchers; restore the newest backup."),
    "XX002": (StoreDamaged, "An index of the database is damaged.", "Stop the watchers; REINDEX DATABASE."),
}


def read_fault(error: BaseException) -> StoreError | None:
    """Return the store error for a driver exception, None when the cause is a bug in our code."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    fault = _of_sqlite(origin) if isinstance(origin, sqlite3.DatabaseError) else _of_server(origin)
    if fault is None:
        return None
    kind, what, repair = fault
    return kind(what, repair)


def _of_sqlite(error: sqlite3.DatabaseError) -> Fault | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else _SQLITE.get(code & 0xFF)


def _of_server(error: BaseException | None) -> Fault | None:
    if error is None or not hasattr(error, "sqlstate"):
        return None
    state = error.sqlstate
    if state is None:
        return _of_connection(error) if type(error).__name__ in _CONNECTING else None
    known = _SERVER.get(state) or _SERVER.get(state[:2])
    return known if known or state.startswith(_OURS) else _of_server_state(error, state)


def _of_server_state(error: BaseException, state: str) -> Fault:
    """Return the fault for a code that is not in the table. It says nothing against the message in hand."""
    what = f"The database's server failed ({state}): {_words(error)}."
    return StoreTemporary, what, "Read the server's log; we try again by ourselves."


def _of_connection(error: BaseException) -> Fault:
    """Return the fault of a failed connection, for which the driver has only text and no code."""
    words = _words(error)
    if any(sign in words for sign in _CROWDED):
        return StoreBusy, f"The database's server has too many connections: {words}.", _MORE_CONNECTIONS
    if any(sign in words for sign in _REFUSED):
        return StoreRefused, f"The database's server refuses us: {words}.", _SIGN_IN
    return StoreUnreachable, f"The database's server does not answer: {words}.", _UNREACHABLE


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


@contextmanager
def translated() -> Iterator[None]:
    """Raise driver exceptions as a StoreError, chained; other exceptions pass unchanged."""
    try:
        yield
    except (DBAPIError, sqlite3.DatabaseError) as error:
        fault = read_fault(error)
        if fault is None:
            raise
        raise fault from error
