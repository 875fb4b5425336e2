"""A process that works with a store: the only one for a file, one of several for a server.

What one process holds, no other takes: the locations of messages it reads, the outgoing messages it sends,
and the tasks that one process does for all. At a server these are advisory locks of a session of its own,
which the server ends with the process: nothing has to expire.
https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS, read 2026-11.
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Any, Protocol

from sqlalchemy import Connection, text

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.store.database.driver_errors import translated
from bounce_watch.store.database.errors import StoreError
from bounce_watch.store.database.postgres import Server, open_server

MAX_LOCATIONS = 1_000
"""Maximum locations held at once: the server keeps locks in a table of limited size."""

# Locks with two numbers never collide with locks of one number, which are those of locations.
_LEADER_LOCK, _WORKER_LOCK = 0x62770002, 0x62770003

_JOIN = text("SELECT pg_try_advisory_lock(:kind, :number)")
_LEAD = text("SELECT pg_try_advisory_lock(:kind, 0)")
_PING = text("SELECT 1")
_LEAVE = text("SELECT pg_advisory_unlock_all()")
_CLAIM = text("""
WITH tried AS MATERIALIZED (
    SELECT number, pg_try_advisory_lock(number) AS taken FROM unnest(CAST(:numbers AS bigint[])) AS number
)
SELECT array_agg(number) FROM tried WHERE taken
""")
_RELEASE = text("SELECT count(pg_advisory_unlock(number)) FROM unnest(CAST(:numbers AS bigint[])) AS number")
_OTHERS = text("""
SELECT locks.objid, coalesce(activity.application_name, '') FROM pg_locks AS locks
LEFT JOIN pg_stat_activity AS activity ON activity.pid = locks.pid
WHERE locks.locktype = 'advisory' AND locks.classid = :kind AND locks.objsubid = 2 AND locks.granted
AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY locks.objid
""")


class Worker(Protocol):
    """A process that works with the store. All methods may raise StoreUnreachable at a server."""

    @property
    def owner(self) -> str:
        """The name under which it leases outgoing messages, different for each run."""

    @property
    def is_alone(self) -> bool:
        """Whether no other process can work with the store."""

    def leads(self) -> bool:
        """Return whether this process is the leader; become the leader when there is none."""

    def claim(self, locations: Sequence[MessageLocation]) -> Collection[MessageLocation]:
        """Claim the messages at these locations; return those that no other process holds."""

    def release(self, locations: Iterable[MessageLocation] | None = None) -> None:
        """Release locations, all of them for None."""

    def at_work(self) -> Collection[str]:
        """Return the owners that are running, including this one."""


class OnlyWorker:
    """The only process with a store file; every claim succeeds."""

    is_alone = True

    def __init__(self, owner: str = "alone") -> None:
        self.owner = owner

    def leads(self) -> bool:
        return True

    def claim(self, locations: Sequence[MessageLocation]) -> Collection[MessageLocation]:
        return set(locations)

    def release(self, locations: Iterable[MessageLocation] | None = None) -> None:
        """Do nothing: no claims are kept."""

    def at_work(self) -> Collection[str]:
        return (self.owner,)


class PostgresWorker:
    """One of several processes at a server, registered during a `with` block."""

    is_alone = False

    def __init__(self, server: Server) -> None:
        self._engine = open_server(server, read_only=False)
        self._number = secrets.randbelow(2**31)
        self._session: Connection | None = None
        self._is_leader = False
        self._locations: dict[MessageLocation, int] = {}

    @property
    def owner(self) -> str:
        return f"watcher-{self._number}"

    def __enter__(self) -> "PostgresWorker":
        """Register this process. Raises StoreUnreachable."""
        self._ask(_PING)
        return self

    def __exit__(self, *_: object) -> None:
        if self._session is not None:
            with suppress(StoreError):
                self._ask(_LEAVE)  # now: the server needs a moment to end a session
        self._forget()
        self._engine.dispose()

    def leads(self) -> bool:
        if self._is_leader:
            self._ask(_PING)  # a broken session has lost the leader lock
        if not self._is_leader:
            self._is_leader = bool(self._ask(_LEAD, kind=_LEADER_LOCK))
        return self._is_leader

    def claim(self, locations: Sequence[MessageLocation]) -> Collection[MessageLocation]:
        new = [location for location in locations if location not in self._locations]
        room = MAX_LOCATIONS - len(self._locations)
        numbers = {_number_of(location): location for location in new[:room]}
        if numbers:
            taken = self._ask(_CLAIM, numbers=list(numbers))
            self._locations |= {numbers[number]: number for number in taken or ()}
        return {location for location in locations if location in self._locations}

    def release(self, locations: Iterable[MessageLocation] | None = None) -> None:
        chosen = list(self._locations) if locations is None else list(locations)
        numbers = [self._locations.pop(location) for location in chosen if location in self._locations]
        if numbers:
            self._ask(_RELEASE, numbers=numbers)

    def at_work(self) -> Collection[str]:
        with translated():
            return [f"watcher-{number}" for number, _ in find_others(self._connected())]

    def _ask(self, query: Any, **values: Any) -> Any:
        try:
            with translated():
                return self._connected().execute(query, values).scalar()
        except BaseException:
            # After any error the next session is a new one, which holds no locks.
            self._forget()
            raise

    def _connected(self) -> Connection:
        if self._session is None or self._session.closed or self._session.invalidated:
            self._forget()
            session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            session.execute(_JOIN, {"kind": _WORKER_LOCK, "number": self._number})
            self._session = session
        return self._session

    def _forget(self) -> None:
        session, self._session = self._session, None
        self._is_leader = False
        self._locations.clear()
        if session is not None:
            session.invalidate()  # closed, not returned to the pool with its locks
            session.close()


def find_others(session: Connection) -> list[tuple[int, str]]:
    return [(int(number), str(name)) for number, name in session.execute(_OTHERS, {"kind": _WORKER_LOCK})]


def _number_of(location: MessageLocation) -> int:
    name = f"{location.mailbox}\0{location.validity}\0{location.uid}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(name, digest_size=8).digest(), signed=True)
