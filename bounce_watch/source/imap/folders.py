"""Find and create folders by their names in the configuration.

The configuration writes `Bounces/Filed` everywhere. Servers separate with `/` or `.`, and some need a prefix
(RFC 2342).
"""

import re
from collections.abc import Collection
from contextlib import suppress

from bounce_watch.source.imap.connection import Connection, folder_name
from bounce_watch.source.imap.errors import CommandRejected, plain_text
from bounce_watch.source.imap.responses import Namespaces, Opened, UnreadableResponse, read_namespaces
from bounce_watch.source.interface import MissingFolder

_UNUSABLE = {b"\\noselect", b"\\nonexistent"}
_EXISTS = re.compile(r"already.?exist", re.IGNORECASE)


class Folders:
    """The folders of one signed-in connection, by their names in the configuration.

    Servers differ in prefix, separator and case: the folder that is there is meant, however it is written.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._namespaces: Namespaces | None = None
        self._known: dict[str, str] = {}

    def open(self, path: str, *, read_only: bool = False) -> Opened:
        """Select a folder. Raises MissingFolder."""
        names = self._names(path)
        name = self._known.get(path, names[0])
        try:
            return self._connection.open(name, read_only=read_only)
        except MissingFolder:
            found = None if len(names) == 1 else self._find(path) or self._find_in_any_case(path)
            if found is None or found == name:
                raise
            self._known[path] = found
            return self._connection.open(found, read_only=read_only)

    def exists(self, path: str) -> bool:
        """Tell whether a folder exists and can hold messages."""
        return self._find(path) is not None

    def ensure(self, path: str) -> str:
        """Return the server's name of a folder; create it if missing. Raises MissingFolder."""
        if path not in self._known:
            self._known[path] = self._find(path) or self._create(path)
        return self._known[path]

    def forget(self, path: str) -> None:
        """Check the folder again next time: the server reported it gone."""
        self._known.pop(path, None)

    def _names(self, path: str) -> list[str]:
        """Return the names that a folder written with slashes may have on the server, the likeliest first."""
        if path.upper() == "INBOX":
            return ["INBOX"]
        if self._namespaces is None:
            self._namespaces = _namespaces(self._connection)
        names = self._namespaces
        inbox = f"INBOX{names.separator}"
        bare = path.replace("/", names.separator)
        if bare.startswith(names.foreign):
            return [bare]
        with_prefix = bare if names.prefix and bare.startswith(names.prefix) else names.prefix + bare
        inside = bare if bare.upper().startswith(inbox) else inbox + bare
        return list(dict.fromkeys([with_prefix, bare, inside, inside[len(inbox) :]]))

    def _find(self, path: str) -> str | None:
        """Return the server's own name of a folder that can hold messages; None if it tells of none."""
        return next(filter(None, (_pick(name, self._listed(name)) for name in self._names(path))), None)

    def _find_in_any_case(self, path: str) -> str | None:
        usable = self._listed("*")  # once: a mailbox may have tens of thousands of folders
        return next(filter(None, (_pick(name, usable) for name in self._names(path))), None)

    def _listed(self, pattern: str) -> set[str]:
        """Return the names of folders that can hold messages."""
        try:
            folders = self._connection.folders(pattern)
        except CommandRejected:  # some servers do so for a folder that is missing
            return set()
        return {one for one, flags in folders.items() if not _UNUSABLE & {flag.lower() for flag in flags}}

    def _create(self, path: str) -> str:
        faults = []
        for name in self._names(path):
            try:
                self._create_with_parents(name)
            except CommandRejected as error:
                if _EXISTS.search(error.answer) or self._connection.status(name):
                    return self._find_in_any_case(path) or name
                faults.append(error)
            else:
                return name
        if found := self._find_in_any_case(path):
            return found
        raise MissingFolder(
            f"the folder {path} is missing and cannot be made: {plain_text(faults[0].answer)}",
            "create it by hand, or allow the account to create folders",
        ) from faults[0]

    def _create_with_parents(self, name: str) -> None:
        separator = self._namespaces.separator if self._namespaces else "/"
        try:
            self._connection.create(name)
        except CommandRejected as error:
            parent, _, _ = name.rpartition(separator)
            if not parent or parent.upper() == "INBOX" or _EXISTS.search(error.answer):
                raise
            with suppress(CommandRejected):
                self._create_with_parents(parent)
            self._connection.create(name)


def _pick(name: str, usable: Collection[str]) -> str | None:
    """Return a name, or the only one that differs from it in case."""
    alike = [one for one in usable if one.casefold() == name.casefold()]
    return name if name in usable else alike[0] if len(alike) == 1 else None


def _namespaces(connection: Connection) -> Namespaces:
    if "NAMESPACE" in connection.capabilities:
        with suppress(CommandRejected, UnreadableResponse):
            _, lines = connection.perform(connection.protocol.namespace)
            if found := read_namespaces(lines, folder_name):
                return found
    separator = "/"
    with suppress(CommandRejected):
        separator = connection.root()
    return Namespaces(prefix="", separator=separator)
