"""Move messages into a folder: MOVE (RFC 6851), else COPY and EXPUNGE (RFC 4315).

What a server advertises or confirms is tried and looked at, not believed.
"""

from collections.abc import Sequence

from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.errors import CommandRejected
from bounce_watch.source.imap.folders import Folders
from bounce_watch.source.imap.responses import Items, Status, uid_set

_UIDS_PER_COMMAND = 500
_NO_COPY = "it confirms COPY, and the copies are not in the folder"


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
