"""Move messages by UID: MOVE (RFC 6851), else COPY and EXPUNGE of the same UIDs (RFC 4315)."""

from collections.abc import Sequence

from bounce_watch.source.imap_connection import Connection
from bounce_watch.source.imap_faults import Declined
from bounce_watch.source.imap_folders import Folders

_MOST = 500
"""UIDs in one command."""


def move(connection: Connection, folders: Folders, uids: Sequence[int], path: str) -> None:
    """Move messages into a folder, many with one command; those that are gone are done.

    Raises Declined when one could not be moved; all others were then.
    """
    for first in range(0, len(uids), _MOST):
        _move(connection, folders, uids[first : first + _MOST], path)


def _move(connection: Connection, folders: Folders, uids: Sequence[int], path: str) -> None:
    try:
        _move_once(connection, folders.ensure(path), uids)
    except Declined as error:
        # It may have worked all the same (Exchange sends malformed answers), or the messages are gone.
        left = sorted(uid for uid in connection.fetch(_set(uids), "(UID)") if uid in uids)
        if "[trycreate]" in error.answer.lower() and left:
            folders.forget(path)
            _move_once(connection, folders.ensure(path), left)
        elif left:
            _move_each(connection, folders.ensure(path), left, error)


def _move_each(connection: Connection, folder: str, uids: Sequence[int], fault: Declined) -> None:
    """Move one by one, so that a message that cannot be moved holds back no other."""
    if len(uids) == 1:
        raise fault
    faults = []
    for uid in uids:
        try:
            _move_once(connection, folder, [uid])
        except Declined as error:
            faults.append(error)
    if faults:
        raise faults[0]


def _move_once(connection: Connection, folder: str, uids: Sequence[int]) -> None:
    if "MOVE" in connection.capabilities:
        # A UID that is gone is no error here (RFC 3501 section 6.4.8).
        connection.move(uids, folder)
        return
    # What an earlier call marked was copied by it; what a person marked is theirs.
    marked = _marked(connection, uids)
    unmarked = [uid for uid in uids if uid not in marked]
    if unmarked:
        connection.copy(unmarked, folder)
        connection.mark_deleted(unmarked)
        # Without UIDPLUS an EXPUNGE would remove what other people have marked.
        if "UIDPLUS" in connection.capabilities:
            connection.expunge(unmarked)


def _marked(connection: Connection, uids: Sequence[int]) -> frozenset[int]:
    """Return those that are marked as deleted."""
    answers = connection.fetch(_set(uids), "(UID FLAGS)")
    flags = {uid: answer.get(b"FLAGS") for uid, answer in answers.items()}
    return frozenset(uid for uid, of in flags.items() if isinstance(of, tuple) and b"\\Deleted" in of)


def _set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))
