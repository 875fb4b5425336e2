"""What the parts of Store and Transaction share: a session to read with, and one to write with."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import Engine
from sqlmodel import Session

from bounce_watch.store.database.driver_errors import translated


class Reads(Protocol):
    """Whoever can read: a Store opens a session of its own, a Transaction lends the one it has."""

    def _reading(self) -> AbstractContextManager[Session]: ...


class Writes(Reads, Protocol):
    """Whoever writes inside a transaction that takes the lock at its begin."""

    _rows: Session


@contextmanager
def session_on(engine: Engine) -> Iterator[Session]:
    """Open a session; commit when the block ends, roll back when it raises."""
    with translated(), Session(engine, expire_on_commit=False) as session, session.begin():
        session.connection()  # begin now: a writer waits for its lock before it has read anything
        yield session
