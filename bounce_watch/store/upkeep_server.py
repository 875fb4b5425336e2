"""Is the store on a server sound? What only the server knows, each with what repairs it."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from bounce_watch.model.check import Check
from bounce_watch.store.errors import StoreError
from bounce_watch.store.faults import translated
from bounce_watch.store.place import require_fit
from bounce_watch.store.server import Server, open_server

_OFF = text("SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'")
_SIZE = text("SELECT pg_database_size(current_database()), current_setting('server_version')")


def check_server(server: Server) -> Iterator[Check]:
    """Yield a finding for the sign-in, the order of text, the size, and whether commits reach the disk."""
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
