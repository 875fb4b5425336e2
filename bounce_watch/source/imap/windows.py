"""List a folder in windows of UIDs.

The response to SEARCH ALL is one line, which gets too long at about 125,000 messages.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.head_plan import Plan
from bounce_watch.source.imap.responses import Items, uid_set
from bounce_watch.source.interface import MAX_MESSAGE

_MAX_WINDOW = 65_536
_BATCH_MESSAGES = 100
_BATCH_BYTES = 8 * 1024 * 1024
_MAX_MISSING_WALKS = 3


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


def list_windows(connection: Connection, first: int, uid_next: int, width: int) -> Iterator[dict[int, Items]]:
    """Yield the messages from UID `first` to below `uid_next`, window by window, in order of UIDs.

    The window grows over gaps: a mailbox that is emptied every day soon has millions of unused UIDs.
    """
    span = width
    while first < uid_next:
        last = min(first + span, uid_next) - 1
        items = "(UID)" if span > width else "(UID RFC822.SIZE INTERNALDATE)"
        answers = connection.fetch(f"{first}:{last}", items)
        found = {uid: answers[uid] for uid in sorted(answers) if first <= uid <= last}
        if found and span > width:
            first, span = min(found), width
            continue
        if found:
            yield found
        first = last + 1
        span = width if found else min(span * 8, _MAX_WINDOW)


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


def batches(messages: Iterable[Listed]) -> Iterator[list[Listed]]:
    """Group messages so that one response stays small in number and bytes."""
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


def fetch_contents(
    connection: Connection, batch: Sequence[Listed], length: int = MAX_MESSAGE
) -> list[tuple[Listed, bytes]]:
    """Return each message that is still there with its first `length` bytes; do not mark it as seen."""
    if not batch:
        return []
    answers = connection.fetch(uid_set(message.uid for message in batch), f"(UID BODY.PEEK[]<0.{length}>)")
    bodies = ((message, _body(answers.get(message.uid, {}))) for message in batch)
    return [(message, body[:length]) for message, body in bodies if body is not None]


def _body(answer: Items) -> bytes | None:
    body = answer.get(b"BODY[]<0>", answer.get(b"BODY[]"))
    return body if isinstance(body, bytes) else None


class MissingMessages:
    """Messages that were listed but returned no content: gone, or a nonsense response.

    A walk does not count as past them until they were missing in several walks in a row.
    """

    def __init__(self) -> None:
        self._walks: dict[int, int] = {}
        self._missing_now: set[int] = set()

    def note(self, batch: list[Listed], found: list[tuple[Listed, bytes]]) -> None:
        self._missing_now |= {message.uid for message in batch} - {message.uid for message, _ in found}

    def end_of_walk(self, uid_next: int) -> int:
        """Return the highest UID below which no message is missing."""
        self._walks = {uid: self._walks.get(uid, 0) + 1 for uid in self._missing_now}
        self._missing_now = set()
        awaited = [uid for uid, walks in self._walks.items() if walks < _MAX_MISSING_WALKS]
        return min(awaited, default=uid_next) - 1
