"""Stores at a PostgreSQL for tests: one that is emptied for each test, or a database of its own."""

from functools import cached_property

from sqlalchemy import Engine, text
from sqlmodel import SQLModel

from bounce_watch.store import Server, Store
from bounce_watch.store.database.postgres import open_server, server_at
from tests.servers.postgres import ROLE, Postgres


class Stores:
    """`empty` returns one shared store, emptied, which is quick. `fresh` makes an empty database."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres

    def __enter__(self) -> "Stores":
        return self

    def __exit__(self, *_: object) -> None:
        if "_engine" in self.__dict__:
            self._engine.dispose()

    def empty(self) -> Server:
        """Return the store that all tests share, emptied."""
        with self._engine.begin() as connection:
            for table in reversed(SQLModel.metadata.sorted_tables):
                connection.execute(table.delete())
            connection.execute(text(_FROM_ONE))
        return self._shared

    def cut(self) -> None:
        """End all our sessions, as a restart of the server does."""
        ours = f"FROM pg_stat_activity WHERE usename = '{ROLE}'"
        self.postgres.sql(f"SELECT pg_terminate_backend(pid, 5000) {ours}")
        self._engine.dispose()

    def fresh(self) -> Server:
        """Return a database with nothing in it."""
        return server_at(self.postgres.url(self.postgres.database()))

    def made(self) -> str:
        """Return the name of a database of its own with an empty store."""
        return self.postgres.copy(self._blank)

    @cached_property
    def _blank(self) -> str:
        name = self.postgres.database()
        Store.open(server_at(self.postgres.url(name))).close()
        return name

    @cached_property
    def _shared(self) -> Server:
        server = self.fresh()
        Store.open(server).close()
        return server

    @cached_property
    def _engine(self) -> Engine:
        return open_server(self._shared, read_only=False)


_FROM_ONE = "SELECT setval(seqrelid::regclass, 1, false) FROM pg_sequence"
