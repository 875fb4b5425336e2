"""Sessions, and the base classes of all queries and repositories."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bounce_watch.store.database.driver_errors import translated

OpenSession = Callable[[], AbstractContextManager[Session]]


def lend(session: Session) -> OpenSession:
    """Return a function that yields this session and does not close it."""
    return lambda: nullcontext(session)


class Queries:
    """Queries about one kind of row. `open_session` opens a session for each query, or lends one."""

    def __init__(self, open_session: OpenSession) -> None:
        self._reading = open_session


class Repository(Queries):
    """Queries and changes in one transaction, which holds the write lock from its start."""

    def __init__(self, session: Session) -> None:
        super().__init__(lend(session))
        self._rows = session


def read_columns(session: Session, query: Any, params: Mapping[str, Any]) -> Any:
    """Run a query without the ORM, which takes twice the time for a few columns.

    It does not see changes to rows of the session that are not flushed yet.
    """
    return session.connection().execute(query, params)


@contextmanager
def session_on(engine: Engine) -> Iterator[Session]:
    """Open a session; commit when the block ends, roll back when it raises."""
    with translated(), Session(engine, expire_on_commit=False) as session, session.begin():
        session.connection()  # begin now: a writer gets its lock before it reads anything
        yield session
