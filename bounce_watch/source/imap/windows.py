"""Walk a folder in windows of UIDs: never SEARCH ALL, whose answer is one line that gets too long
at about 125,000 messages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.head_plan import Plan
from bounce_watch.source.imap.responses import Items
from bounce_watch.source.interface import MAX_MESSAGE

_WIDEST = 65_536
_BATCH_MESSAGES = 100
_BATCH_BYTES = 8 * 1024 * 1024
_WALKS_AWAITED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A message that exists. `size` is the server's word, on Exchange an estimate.

    `plan` is there when only its head is to be fetched.
    """

    uid: int
    size: int
    received_at: datetime | None
    plan: Plan | None = None

    @property
    def length(self) -> int:
        """How many bytes are fetched of it, at most."""
        return self.plan.length if self.plan else min(self.size, MAX_MESSAGE)


def list_windows(connection: Connection, first: int, uid_next: int, width: int) -> Iterator[dict[int, Items]]:
    """Yield what exists from UID `first` to below `uid_next`, window by window, in order of UIDs.

    Over gaps the window grows: a mailbox that is emptied every day soon has millions of unused UIDs.
    """
    span = width
    while first < uid_next:
        last = min(first + span, uid_next) - 1
        found = _existing(connection, first, last, span > width)
        if found and span > width:
            first, span = min(found), width
            continue
        if found:
            yield {uid: found[uid] for uid in sorted(found)}
        first = last + 1
        span = width if found else min(span * 8, _WIDEST)


def _existing(connection: Connection, first: int, last: int, only_uids: bool) -> dict[int, Items]:
    items = "(UID)" if only_uids else "(UID RFC822.SIZE INTERNALDATE)"
    answers = connection.fetch(f"{first}:{last}", items)
    return {uid: answer for uid, answer in answers.items() if first <= uid <= last}


def listed(uid: int, answer: Items) -> Listed:
    """Return what a window tells of one message."""
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
    except (ValueError, OverflowError):  # no date, or one at the end of the calendar
        return None


def batches(messages: Iterable[Listed]) -> Iterator[list[Listed]]:
    """Group messages so that one answer stays small in number and bytes."""
    batch: list[Listed] = []
    room = _BATCH_BYTES
    for message in messages:
        if batch and (message.length > room or len(batch) == _BATCH_MESSAGES):
            yield batch
            batch, room = [], _BATCH_BYTES
        batch.append(message)
        room -= message.length
    if batch:
        yield batch


def fetch_bodies(connection: Connection, batch: Sequence[Listed]) -> list[tuple[Listed, bytes]]:
    """Return each message with its first MAX_MESSAGE bytes; what vanished meanwhile is left out."""
    return fetch_beginnings(connection, batch, MAX_MESSAGE)


def fetch_beginnings(
    connection: Connection, batch: Sequence[Listed], length: int
) -> list[tuple[Listed, bytes]]:
    """Return each message with its first bytes, so many at most, without marking it as seen."""
    if not batch:
        return []
    answers = connection.fetch(uid_set(batch), f"(UID BODY.PEEK[]<0.{length}>)")
    bodies = ((message, _body(answers.get(message.uid, {}))) for message in batch)
    return [(message, body[:length]) for message, body in bodies if body is not None]


def uid_set(batch: Iterable[Listed]) -> str:
    return ",".join(str(message.uid) for message in batch)


def _body(answer: Items) -> bytes | None:
    body = answer.get(b"BODY[]<0>", answer.get(b"BODY[]"))
    return body if isinstance(body, bytes) else None


class Missing:
    """Messages that were listed and came without content: gone, or an answer that was nonsense.

    A walk has not reached beyond them, until they have been missing in several walks on end.
    """

    def __init__(self) -> None:
        self._walks: dict[int, int] = {}
        self._now: set[int] = set()

    def note(self, batch: list[Listed], found: list[tuple[Listed, bytes]]) -> None:
        self._now |= {message.uid for message in batch} - {message.uid for message, _ in found}

    def end_of_walk(self, uid_next: int) -> int:
        """Return the highest UID below which nothing is missing."""
        self._walks = {uid: self._walks.get(uid, 0) + 1 for uid in self._now}
        self._now = set()
        awaited = [uid for uid, walks in self._walks.items() if walks < _WALKS_AWAITED]
        return min(awaited, default=uid_next) - 1


def find_uid_next(connection: Connection) -> int:
    """Return one more than the highest UID, for servers whose SELECT does not tell."""
    return max(connection.fetch("*", "(UID)"), default=0) + 1
