"""Ways into a store for tests: its tables over a connection of their own, and transactions held open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlmodel import Session

from bounce_watch.store import Store, StoreLocation
from bounce_watch.store.database.location import for_one_row, open_engine
from bounce_watch.store.database.session import session_on
from bounce_watch.store.store import Transaction


@contextmanager
def reading(location: StoreLocation) -> Iterator[Session]:
    """Open a session that only reads what is committed."""
    engine = open_engine(location, read_only=True)
    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()


@contextmanager
def changing(location: StoreLocation) -> Iterator[Session]:
    """Open a session whose changes are committed at its end."""
    engine = open_engine(location, read_only=False)
    try:
        with Session(engine) as session, session.begin():
            yield session
    finally:
        engine.dispose()


@contextmanager
def changing_one_mail(location: StoreLocation) -> Iterator[Transaction]:
    """Hold open the kind of transaction in which a process claims or finishes one mail."""
    engine = open_engine(location, read_only=False)
    try:
        with session_on(for_one_row(engine)) as session:
            yield Transaction(session)
    finally:
        engine.dispose()


def open_impatient(location: StoreLocation, lock_timeout: str) -> Store:
    """Open a store at a server that gives up when a lock is not free within this time, such as 50ms."""
    engine = open_engine(location, read_only=False)

    @event.listens_for(engine, "connect")
    def hurry(connection: Any, _record: object) -> None:
        connection.execute(f"SET lock_timeout = '{lock_timeout}'")
        connection.commit()

    return Store(location, engine, read_only=False)
