"""Find and create folders, and move messages into them: MOVE (RFC 6851), else COPY and EXPUNGE (RFC 4315).

The configuration writes `Bounces/Filed` everywhere. Servers separate with `/` or `.`, and some need a prefix
(RFC 2342).
"""

from collections.abc import Sequence

from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.errors import CommandRejected, plain_text
from bounce_watch.source.imap.responses import Items, Namespaces, uid_set
from bounce_watch.source.interface import MissingFolder

_UNUSABLE = {b"\\noselect", b"\\nonexistent"}
_UIDS_PER_COMMAND = 500


class Folders:
    """The folders of one signed-in connection, by their names in the configuration."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._namespaces: Namespaces | None = None
        self._known: set[str] = set()

    def server_name(self, path: str) -> str:
        """Return the server's own name of a folder written with slashes."""
        if path.upper() == "INBOX":
            return "INBOX"
        names = self._find_namespaces()
        translated = path.replace("/", names.separator)
        if translated.startswith((*names.foreign, names.prefix or "\0")):
            return translated
        return names.prefix + translated

    def _find_namespaces(self) -> Namespaces:
        if self._namespaces is None:
            self._namespaces = self._connection.namespaces()
        return self._namespaces

    def exists(self, path: str) -> bool:
        """Tell whether a folder exists and can hold messages."""
        name = self.server_name(path)
        flags = self._connection.folders(name).get(name)
        return flags is not None and not _UNUSABLE & {flag.lower() for flag in flags}

    def ensure(self, path: str) -> str:
        """Return the server's name of a folder; create it if missing. Raises MissingFolder."""
        name = self.server_name(path)
        if name not in self._known and not self.exists(path):
            self._create(name)
        self._known.add(name)
        return name

    def forget(self, path: str) -> None:
        """Check the folder again next time: the server reported it gone."""
        self._known.discard(self.server_name(path))

    def _create(self, name: str) -> None:
        try:
            self._connection.create(name)
        except CommandRejected as error:
            if "[alreadyexists]" not in error.answer.lower():
                raise MissingFolder(
                    f"the folder {name} is missing and cannot be made: {plain_text(error.answer)}",
                    "create it by hand, or allow the account to create folders",
                ) from error


def move(connection: Connection, folders: Folders, uids: Sequence[int], path: str) -> None:
    """Move messages into a folder, many per command; those that are gone count as moved.

    Raises CommandRejected if one could not be moved, after all others were moved.
    """
    for first in range(0, len(uids), _UIDS_PER_COMMAND):
        _move(connection, folders, uids[first : first + _UIDS_PER_COMMAND], path)


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
            _move_each(connection, folders.ensure(path), left, error)


def _move_each(connection: Connection, folder: str, uids: Sequence[int], fault: CommandRejected) -> None:
    """Move one by one, so that a message that cannot be moved does not block the others."""
    if len(uids) == 1:
        raise fault
    faults = []
    for uid in uids:
        try:
            _move_once(connection, folder, [uid])
        except CommandRejected as error:
            faults.append(error)
    if faults:
        raise faults[0]


def _move_once(connection: Connection, folder: str, uids: Sequence[int]) -> None:
    if "MOVE" in connection.capabilities:
        # A UID that is gone is not an error here (RFC 3501 section 6.4.8).
        connection.move(uids, folder)
        return
    # Messages that an earlier call marked were copied by it; those that a user marked stay.
    answers = connection.fetch(uid_set(uids), "(UID FLAGS)")
    unmarked = [uid for uid in uids if not _is_marked(answers.get(uid, {}))]
    if unmarked:
        connection.copy(unmarked, folder)
        connection.mark_deleted(unmarked)
        # Without UIDPLUS an EXPUNGE would remove what other users have marked.
        if "UIDPLUS" in connection.capabilities:
            connection.expunge(unmarked)


def _is_marked(answer: Items) -> bool:
    flags = answer.get(b"FLAGS")
    return isinstance(flags, tuple) and b"\\Deleted" in flags
