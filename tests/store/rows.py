"""The tables of a store as a test looks into them: over a connection of its own, not through the store."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import Session

from bounce_watch.store import Place
from bounce_watch.store.database.location import open_engine


@contextmanager
def reading(place: Place) -> Iterator[Session]:
    """Open a session that only reads what is committed."""
    engine = open_engine(place, read_only=True)
    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()
