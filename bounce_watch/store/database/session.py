"""Sessions, and what every repository of the store is built on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bounce_watch.store.database.driver_errors import translated

OpenSession = Callable[[], AbstractContextManager[Session]]


def lend(session: Session) -> OpenSession:
    """Return what hands out this session and leaves it open."""
    return lambda: nullcontext(session)


class Queries:
    """Questions about one kind of rows. `open_session` opens a session for each, or lends an open one."""

    def __init__(self, open_session: OpenSession) -> None:
        self._reading = open_session


class Repository(Queries):
    """Questions and changes inside one transaction, which holds the write lock from its begin."""

    def __init__(self, session: Session) -> None:
        super().__init__(lend(session))
        self._rows = session


def read_columns(session: Session, query: Any, params: Mapping[str, Any]) -> Any:
    """Run a query for a few columns without the ORM, which takes twice the time for them.

    It sees what statements wrote, not what was changed in rows of the session and is not flushed yet.
    """
    return session.connection().execute(query, params)


@contextmanager
def session_on(engine: Engine) -> Iterator[Session]:
    """Open a session; commit when the block ends, roll back when it raises."""
    with translated(), Session(engine, expire_on_commit=False) as session, session.begin():
        session.connection()  # begin now: a writer waits for its lock before it has read anything
        yield session
