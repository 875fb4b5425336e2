"""Find and create folders, and move messages into them: MOVE (RFC 6851), else COPY and EXPUNGE (RFC 4315).

The configuration writes `Bounces/Filed` everywhere. Servers separate with `/` or `.`, and some need a prefix
(RFC 2342). What a server advertises is tried, not believed.
"""

import re
from collections.abc import Collection, Sequence
from contextlib import suppress

from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.errors import CommandRejected, plain_text
from bounce_watch.source.imap.responses import Items, Namespaces, Opened, Status, uid_set
from bounce_watch.source.interface import MissingFolder

_UNUSABLE = {b"\\noselect", b"\\nonexistent"}
_EXISTS = re.compile(r"already.?exist", re.IGNORECASE)
_UIDS_PER_COMMAND = 500
_NO_COPY = "it confirms COPY, and the copies are not in the folder"


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
            self._namespaces = self._connection.namespaces()
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


def move(connection: Connection, folders: Folders, uids: Sequence[int], path: str) -> None:
    """Move messages into a folder, many per command; those that are gone count as moved.

    Raises CommandRejected if one could not be moved, after all others were moved.
    """
    for first in range(0, len(uids), _UIDS_PER_COMMAND):
        group = uids[first : first + _UIDS_PER_COMMAND]
        if connection.is_move_proven or "MOVE" not in connection.capabilities:
            _move(connection, folders, group, path)
        else:
            _move_and_look(connection, folders, group, path)


def _move_and_look(connection: Connection, folders: Folders, uids: Sequence[int], path: str) -> None:
    """Move messages and look, once per connection, whether they are gone from here and came there."""
    before = connection.status(folders.ensure(path))
    there = connection.fetch(uid_set(uids), "(UID)").keys() & set(uids)
    _move(connection, folders, uids, path)
    if connection.is_move_proven or "MOVE" not in connection.capabilities or not there:
        return
    if connection.fetch(uid_set(uids), "(UID)").keys() & there:
        raise CommandRejected("it confirms MOVE, and the messages are still there")
    if _came_since(before, connection, folders.ensure(path)) == 0:
        connection.capabilities -= {"MOVE"}
        raise CommandRejected("it confirms MOVE, and nothing came into the folder")
    connection.is_move_proven = True


def _move(connection: Connection, folders: Folders, uids: Sequence[int], path: str) -> None:
    try:
        _move_once(connection, folders.ensure(path), uids)
    except CommandRejected as error:
        # Either it worked (Exchange sends malformed responses), or the messages are gone.
        left = sorted(uid for uid in connection.fetch(uid_set(uids), "(UID)") if uid in uids)
        if "[trycreate]" in error.answer.lower() and left:
            folders.forget(path)
            _move_once(connection, folders.ensure(path), left)
        elif left:
            _move_otherwise(connection, folders.ensure(path), left, error, one_by_one=len(left) < len(uids))


def _move_otherwise(
    connection: Connection, folder: str, uids: Sequence[int], fault: CommandRejected, *, one_by_one: bool
) -> None:
    """Copy messages that MOVE leaves where they are; one that cannot be moved does not block the others."""
    if "MOVE" in connection.capabilities and not one_by_one:
        try:
            _copy(connection, folder, uids)
        except CommandRejected as error:
            fault = error
        else:
            connection.capabilities -= {"MOVE"}  # it is advertised, and refused
            return
    if len(uids) == 1 or connection.is_copy_proven is False:
        raise fault
    faults = []
    for uid in uids:
        try:
            _move_one(connection, folder, uid)
        except CommandRejected as error:
            faults.append(error)
    if faults:
        raise faults[0]


def _move_one(connection: Connection, folder: str, uid: int) -> None:
    try:
        _move_once(connection, folder, [uid])
    except CommandRejected as error:
        _move_otherwise(connection, folder, [uid], error, one_by_one=False)


def _move_once(connection: Connection, folder: str, uids: Sequence[int]) -> None:
    if "MOVE" in connection.capabilities:
        # A UID that is gone is not an error here (RFC 3501 section 6.4.8).
        connection.is_move_proven |= bool(connection.move(uids, folder))
    else:
        _copy(connection, folder, uids)


def _copy(connection: Connection, folder: str, uids: Sequence[int]) -> None:
    # Messages that an earlier call marked were copied by it; those that a user marked stay.
    answers = connection.fetch(uid_set(uids), "(UID FLAGS)")
    unmarked = [uid for uid in uids if uid in answers and not _is_marked(answers[uid])]
    if not unmarked:
        return
    if not connection.may_delete:  # or each attempt would leave one more copy
        raise CommandRejected("messages in this folder cannot be marked as deleted")
    if connection.is_copy_proven is False:
        raise CommandRejected(_NO_COPY)
    copied = _copy_proven(connection, folder, unmarked)
    try:
        connection.mark_deleted(copied)
    except CommandRejected:
        connection.may_delete = False
        raise
    # Without UIDPLUS an EXPUNGE would remove what other users have marked.
    if "UIDPLUS" in connection.capabilities:
        try:
            connection.expunge(copied)
        except CommandRejected:
            connection.capabilities -= {"UIDPLUS"}
    if len(copied) < len(unmarked):
        raise CommandRejected(_NO_COPY)


def _copy_proven(connection: Connection, folder: str, uids: Sequence[int]) -> list[int]:
    """Copy messages and return those that arrived; raise CommandRejected if none did.

    The server names them (COPYUID), or its count of the folder shows it. A server that says neither is
    believed, because STATUS is no choice (RFC 3501 section 6.3.10) and the messages would stay for ever.
    """
    before = connection.status(folder)
    if named := connection.copy(uids, folder):
        connection.is_copy_proven = True
        return sorted(named)
    came = _came_since(before, connection, folder)
    if came is not None and came < len(uids):
        # If some came, the others are found one by one.
        connection.is_copy_proven = connection.is_copy_proven or came > 0
        raise CommandRejected(_NO_COPY)
    connection.is_copy_proven = True
    return list(uids)


def _came_since(before: Status | None, connection: Connection, folder: str) -> int | None:
    """Return how many messages came into a folder, None if the server does not tell what it holds."""
    after = connection.status(folder) if before else None
    return after.came_since(before) if before and after else None


def _is_marked(answer: Items) -> bool:
    flags = answer.get(b"FLAGS")
    return isinstance(flags, tuple) and b"\\Deleted" in flags
