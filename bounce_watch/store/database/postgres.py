"""Connect to a store on a PostgreSQL server.

https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS and
https://www.postgresql.org/docs/15/libpq-connect.html, read 2026-11.
"""

import os
import socket
from dataclasses import dataclass, field
from ipaddress import ip_address

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from bounce_watch.store.database.errors import StoreNotWritable, StorePermanent
from bounce_watch.store.database.sqlite import BUSY_SECONDS, WRITES

WRITERS = 0x62770001
"""Key of the lock that a writing transaction holds, so that row numbers become visible in order."""

_STUCK_SECONDS = 60
_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_NEEDS = "pip install 'bounce-watch[postgres]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A database on a server. `name` is for display and contains no password."""

    name: str
    url: URL = field(repr=False)

    def __str__(self) -> str:
        return self.name


def server_at(address: str, password: str = "") -> Server:
    """Return the server of a URL such as postgresql://user@host/database. Raises StorePermanent.

    `password` replaces the one in the URL. Connections to other hosts use TLS, unless the URL sets `sslmode`.
    """
    try:
        url = make_url(address.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        raise StorePermanent(
            "store.url is no address of a database.", "Write postgresql://user@host/database"
        ) from None
    url = url.set(drivername="postgresql+psycopg")
    if password:
        url = url.set(password=password)
    if not all(map(_is_here, _hosts(url))) and "sslmode" not in url.query:
        url = url.update_query_dict({"sslmode": "require"})
    who = f"{url.username}@" if url.username else ""
    where = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    return Server(name=f"postgresql://{who}{where}/{url.database or ''}", url=url)


def _hosts(url: URL) -> list[str]:
    """Return all hosts of a URL, which may name several in its query; a folder of a socket is one too."""
    named = url.query.get("host", ())
    texts = [named] if isinstance(named, str) else list(named)
    return [host for text in (url.host or "", *texts) for host in text.split(",") if host]


def _is_here(host: str) -> bool:
    host = host.partition(":")[0] if host.count(":") == 1 else host
    if host.startswith("/"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def open_server(server: Server, *, read_only: bool) -> Engine:
    """Return an engine whose connections have our settings, without connecting yet.

    Raises StorePermanent when the driver is not installed.
    """
    wanted = {"lock_timeout": f"{BUSY_SECONDS}s"} | {
        f"tcp_{name}": str(value) for name, value in _ALIVE.items()
    }
    if read_only:
        wanted["default_transaction_read_only"] = "on"
    arguments = {
        "application_name": f"bounce-watch {socket.gethostname()}:{os.getpid()}",
        "connect_timeout": BUSY_SECONDS,
        "options": " ".join(f"-c {name}={value}" for name, value in wanted.items()),
        "tcp_user_timeout": 1000 * sum((30, 10 * 3)),
        **_ALIVE,
    }
    try:
        engine = create_engine(server.url, connect_args=arguments)
    except (NoSuchModuleError, ImportError) as error:
        raise StorePermanent("PostgreSQL needs its driver, which is not installed.", _NEEDS) from error
    event.listen(engine, "begin", _begin)
    return engine


# One query takes the lock and makes the server end the session of a process that hangs while holding it.
_TAKE_THE_LOCK = f"""
SELECT set_config('idle_in_transaction_session_timeout', '{_STUCK_SECONDS}s', true),
    CASE current_setting('synchronous_commit') WHEN 'off'
        THEN set_config('synchronous_commit', 'on', true) END,
    pg_advisory_xact_lock({WRITERS})
"""


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql(_TAKE_THE_LOCK)


def require_order(engine: Engine) -> None:
    """Raise StoreNotWritable unless the database sorts text by code point, in UTF-8.

    Range queries over labels and addresses rely on that order, which no library update can change.
    """
    with engine.connect() as connection:
        encoding, *in_order = connection.execute(text(_ORDER), {"last": "a\uffff"}).one()
    if encoding != "UTF8" or not all(in_order):
        raise StoreNotWritable(
            "The database sorts text by the rules of a language, or is not in UTF-8.",
            "Make it anew: createdb --template=template0 --encoding=UTF8 --locale=C NAME",
        )


_ORDER = "SELECT current_setting('server_encoding'), 'Z' < 'a', 'a-b' < 'aa', 'az' < :last"
