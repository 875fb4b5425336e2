"""Where a service under test keeps its store, as `--store` says: a file, or a database of its own."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.servers.stores import Stores

FILE = 'path = "store.db"'
"""The line of the configurations of all tests."""


class Kept(Protocol):
    """A store that tests query with their own SQL."""

    @property
    def line(self) -> str:
        """The line below [store] in the configuration."""

    def ask(self, query: str) -> list[tuple[Any, ...]]: ...

    def copy(self, folder: Path) -> "Kept":
        """Return the store of a copy of its folder, which exists already."""

    def assert_sound(self) -> None: ...


@dataclass(frozen=True, slots=True)
class InFile:
    """A store beside the configuration."""

    folder: Path
    line: str = FILE

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "store.db")) as rows:
            return rows.execute(query).fetchall()

    def copy(self, folder: Path) -> "InFile":
        return InFile(folder)

    def assert_sound(self) -> None:
        assert self.ask("PRAGMA integrity_check") == [("ok",)]
        assert self.ask("PRAGMA foreign_key_check") == []


@dataclass(frozen=True, slots=True)
class AtServer:
    """A store in a database of its own."""

    stores: Stores
    database: str

    @property
    def line(self) -> str:
        return f'url = "{self.stores.postgres.url(self.database)}"'

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.stores.postgres.sql(query, self.database)

    def copy(self, folder: Path) -> "AtServer":
        return AtServer(self.stores, self.stores.postgres.copy(self.database))

    def assert_sound(self) -> None:
        """Do nothing: the server checks pages and references itself."""


Keep = Callable[[Path], Kept]
"""Gives the store for a folder with a configuration."""
