"""List a folder in windows of UIDs.

The response to SEARCH ALL is one line, which gets too long at about 125,000 messages.
"""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.errors import Busy, CommandRejected
from bounce_watch.source.imap.head_plan import Plan
from bounce_watch.source.imap.responses import Items, Opened, uid_set
from bounce_watch.source.imap.unfetched import Unfetched
from bounce_watch.source.interface import MAX_MESSAGE, Unreachable

_MAX_WINDOW = 65_536
_MAX_UID = 2**32 - 1
_BATCH_MESSAGES = 100
_BATCH_BYTES = 8 * 1024 * 1024
_FROM_START = re.compile(rb"(?:BODY(?:\.PEEK)?\[\](?:<0(?:\.[0-9]+)?>)?|RFC822(?:\.PEEK)?)")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_BOUNDARY = re.compile(
    rb'^content-type:[ \t]*multipart/[^\n]*?boundary="?([^"\r\n;]+)', re.IGNORECASE | re.MULTILINE
)
_MAX_HEADER = 64 * 1024
_UID_ONLY, _ALL = "(UID)", "(UID RFC822.SIZE INTERNALDATE)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A message in the folder. `size` is what the server states, on Exchange an estimate.

    `plan` is None if all of it is to be fetched.
    """

    uid: int
    size: int
    received_at: datetime | None
    plan: Plan | None = None

    @property
    def length(self) -> int:
        """Maximum number of bytes to fetch."""
        return self.plan.length if self.plan else min(self.size, MAX_MESSAGE)


def with_uid_next(connection: Connection, opened: Opened, before: Opened | None) -> Opened:
    """Ask for the last message if the server keeps UIDNEXT to itself, as RFC 3501 permits, or is wrong.

    One that stays where it was `before` although the number of messages changed may be a stale one.
    """
    is_stale = bool(before and before.exists != opened.exists and opened.uid_next <= before.uid_next)
    is_possible = opened.uid_next > opened.exists
    if is_possible and not (is_stale and opened.exists):
        return opened
    try:
        last = max(connection.fetch("*", _UID_ONLY), default=0)
    except CommandRejected:  # an empty folder has no last message
        if opened.exists and not is_possible:
            raise
        last = 0
    return replace(opened, uid_next=max(last + 1, opened.uid_next))


def list_windows(
    connection: Connection, first: int, opened: Opened, width: int, unfetched: Unfetched
) -> Iterator[dict[int, Items]]:
    """Yield the messages from UID `first` on, window by window, in order of UIDs.

    Over a gap the window grows, so that its UIDs cost commands in proportion to the messages: a mailbox that
    is emptied every day soon has millions of unused UIDs. Where there are few messages it has no bound,
    because the answer has a line for each.
    """
    widest = _MAX_UID if opened.exists <= _MAX_WINDOW else _MAX_WINDOW
    span, end = width, min(opened.uid_next, _MAX_UID + 1)
    while first < end:
        last = min(first + span, end) - 1
        windows = [(first, last)]
        if span > width:
            found = connection.fetch(f"{first}:{last}", _UID_ONLY)
            windows = list(_windows_of(sorted(uid for uid in found if first <= uid <= last), width))
        is_empty = True
        for low, high in windows:
            answers = _list(connection, low, high, unfetched)
            if window := {uid: answers[uid] for uid in sorted(answers) if low <= uid <= high}:
                is_empty = False
                yield window
        first, span = last + 1, min(span * 8, widest) if is_empty else width


def _windows_of(uids: Sequence[int], width: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last UID of each group of UIDs that fits into a window."""
    first = last = 0
    for uid in uids:
        if first and uid >= first + width:
            yield first, last
            first = 0
        first, last = first or uid, uid
    if first:
        yield first, last


def _list(connection: Connection, first: int, last: int, unfetched: Unfetched) -> dict[int, Items]:
    """List a window; of messages whose size or date the server cannot tell, only the UIDs."""
    if unfetched.lists_uids_only:
        return connection.fetch(f"{first}:{last}", _UID_ONLY)
    try:
        return connection.fetch(f"{first}:{last}", _ALL)
    except CommandRejected:
        return _list_otherwise(connection, f"{first}:{last}")
    except Busy:
        raise
    except Unreachable:
        unfetched.lists_uids_only = True
        raise


def _list_otherwise(connection: Connection, uids: str) -> dict[int, Items]:
    try:
        return _list_apart(connection, sorted(connection.fetch(uids, _UID_ONLY)))
    except CommandRejected:  # to every listing: the search may work, and the contents be there
        if found := connection.search("UID", uids):
            return {uid: {b"UID": uid} for uid in found}
        raise


def _list_apart(connection: Connection, uids: Sequence[int]) -> dict[int, Items]:
    """List messages in ever smaller groups, so that one of them hides no other."""
    if not uids:
        return {}
    try:
        return connection.fetch(uid_set(uids), _ALL)
    except CommandRejected:
        if len(uids) == 1:
            return {uids[0]: {b"UID": uids[0]}}
    half = len(uids) // 2
    return _list_apart(connection, uids[:half]) | _list_apart(connection, uids[half:])


def listed(uid: int, answer: Items) -> Listed:
    """Return one message from its FETCH response."""
    size = answer.get(b"RFC822.SIZE")
    return Listed(
        uid=uid,
        size=size if isinstance(size, int) else 0,
        received_at=_moment(answer.get(b"INTERNALDATE")),
    )


def _moment(date: object) -> datetime | None:
    try:
        if isinstance(date, bytes):
            date = parsedate_to_datetime(date.decode("ascii", "replace"))
        if not isinstance(date, datetime) or date.tzinfo is None:
            return None
        return date.astimezone(UTC)
    except (ValueError, OverflowError):  # not a date, or one at the end of the calendar
        return None


def batches(messages: Iterable[Listed], alone: Container[int] = ()) -> Iterator[list[Listed]]:
    """Group messages so that one response stays small in number and bytes; leave those in `alone` apart."""
    batch: list[Listed] = []
    room = _BATCH_BYTES
    for message in messages:
        is_apart = message.uid in alone or (batch and batch[-1].uid in alone)
        if batch and (is_apart or message.length > room or len(batch) == _BATCH_MESSAGES):
            yield batch
            batch, room = [], _BATCH_BYTES
        batch.append(message)
        room -= message.length
    if batch:
        yield batch


def fetch_contents(
    connection: Connection, batch: Sequence[Listed], length: int = MAX_MESSAGE
) -> list[tuple[Listed, bytes]]:
    """Return each message that is still there with its first `length` bytes; do not mark it as seen."""
    if not batch:
        return []
    uids = uid_set(message.uid for message in batch)
    try:
        answers = connection.fetch(uids, f"(UID BODY.PEEK[]<0.{length}>)", some=True)
    except CommandRejected:
        # Some servers reject the first bytes of a message: a single one that is no longer is asked for whole.
        if len(batch) > 1 or not 0 < batch[0].size <= length:
            raise
        answers = connection.fetch(uids, "(UID BODY.PEEK[])")
    found = ((message, _body(answers.get(message.uid, {}))) for message in batch)
    bodies = ((one, None if body and _is_cut(body, min(one.size, length)) else body) for one, body in found)
    # Nothing at all, of a message that has a size, is a nonsense response.
    return [(one, body[:length]) for one, body in bodies if body or (body is not None and not one.size)]


def _is_cut(body: bytes, expected: int) -> bool:
    """Tell whether the end is missing: fewer bytes than expected, and no closing line of the multipart.

    Neither is enough: sizes are estimates on Exchange, and some mails were cut before they came.
    """
    header = _FOLD.sub(b" ", body[:_MAX_HEADER].partition(b"\r\n\r\n")[0])
    found = _BOUNDARY.search(header) if len(body) < expected else None
    return found is not None and b"--" + found[1].strip() + b"--" not in body


def _body(answer: Items) -> bytes | None:
    """Return the content of a message from its start; servers name it in several ways."""
    found = (value for name, value in answer.items() if _FROM_START.fullmatch(name))
    return next((body for body in found if isinstance(body, bytes)), None)
