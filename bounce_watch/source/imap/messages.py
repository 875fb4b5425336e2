"""Fetch the wanted messages of a folder, large ones without their last attachments."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.imap import head_plan as head
from bounce_watch.source.imap.bodystructure import Entity, structures_in
from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.errors import Busy, CommandRejected
from bounce_watch.source.imap.responses import Items, uid_set
from bounce_watch.source.imap.unfetched import Unfetched
from bounce_watch.source.imap.windows import Listed, batches, fetch_contents, listed
from bounce_watch.source.interface import MAX_MESSAGE, Message, Unreachable, Wanted

FROM_BYTES = 24 * 1024
"""Smaller messages are fetched whole: asking for their structure costs as much."""
_STRUCTURES_PER_COMMAND = 50
"""Few, because a hostile structure can be a megabyte long."""
_LENGTH_SPREAD = 1.3
"""Longest to shortest of the messages that are fetched with one length."""
_MISTAKES_ALLOWED = 20


class PartialFetch:
    """Decides which messages to fetch partially; stops for a server whose structures are wrong.

    If the connection breaks while a structure is read, `is_on` is False until `begin`, so that the next
    connection does not break there again.
    """

    def __init__(self, *, wished: bool) -> None:
        self.is_on = self._wished = wished
        self._checked = self._wrong = 0

    def begin(self) -> None:
        """Start a walk."""
        is_unreliable = self._wrong >= _MISTAKES_ALLOWED and self._wrong * 2 > self._checked
        self.is_on = self._wished and not is_unreliable

    def read(
        self,
        connection: Connection,
        windows: Iterable[dict[int, Items]],
        location: Callable[[int], MessageLocation],
        wanted: Wanted,
        unfetched: Unfetched,
    ) -> Iterator[list[Message]]:
        """Yield the wanted messages in order of UIDs; note those that cannot be fetched."""
        for window in windows:
            known = {location(uid): uid for uid in window}
            needed = set(wanted(list(known)))
            uids = (uid for place, uid in known.items() if place in needed and not unfetched.passes_by(uid))
            chosen = (listed(uid, window[uid]) for uid in uids)
            for batch in batches(self._planned(connection, chosen), unfetched.alone):
                found = self.fetch(connection, batch, unfetched)
                yield [_message(location(one.uid), one, body) for one, body in found]

    def _planned(self, connection: Connection, messages: Iterable[Listed]) -> Iterator[Listed]:
        """Yield the messages; those to be fetched partially have a plan."""
        coming = iter(messages)
        while chunk := list(islice(coming, _STRUCTURES_PER_COMMAND)):
            structures = self._structures(connection, [one for one in chunk if one.size >= FROM_BYTES])
            for one in chunk:
                yield replace(one, plan=head.plan(structures.get(one.uid), one.size))

    def _structures(self, connection: Connection, large: Sequence[Listed]) -> dict[int, Entity]:
        if not self.is_on or not large:
            return {}
        try:
            return structures_in(
                connection.fetch_lines(uid_set(one.uid for one in large), "(UID BODYSTRUCTURE)")
            )
        except CommandRejected:
            return {}
        except Unreachable:
            self.is_on = False
            raise

    def fetch(
        self, connection: Connection, batch: Sequence[Listed], unfetched: Unfetched
    ) -> list[tuple[Listed, bytes]]:
        """Fetch messages together; those that the server rejects, or leaves out, in ever smaller groups."""
        try:
            found = self._fetch(connection, batch)
            left = _still_there(connection, {one.uid for one in batch} - {one.uid for one, _ in found})
            why = "the server does not send all of it"
        except CommandRejected as error:
            found, left, why = [], {one.uid for one in batch}, str(error)
        except Busy:
            raise
        except Unreachable as error:
            unfetched.suspect([one.uid for one in batch], str(error))
            raise
        unfetched.forget({one.uid for one in batch} - left)
        rest = [one for one in batch if one.uid in left]
        if len(batch) == 1 and rest:
            if not unfetched.note(batch[0].uid, why):
                raise CommandRejected(why)
            return []
        half = (len(rest) + 1) // 2
        for part in filter(None, (rest[:half], rest[half:])):
            found += self.fetch(connection, part, unfetched)
        return sorted(found, key=_by_uid)

    def _fetch(self, connection: Connection, batch: Sequence[Listed]) -> list[tuple[Listed, bytes]]:
        """Return each message with its head if it has a plan that fits, else whole and without a plan."""
        heads = self._heads(connection, [one for one in batch if one.plan])
        rest = [replace(one, plan=None) for one in batch if one.uid not in heads]
        found = [*heads.values(), *fetch_contents(connection, rest)]
        return sorted(found, key=_by_uid)

    def _heads(self, connection: Connection, planned: Sequence[Listed]) -> dict[int, tuple[Listed, bytes]]:
        heads = {}
        for group in _group_by_length(planned):
            for one, content in fetch_contents(connection, group, group[-1].length):
                kept = head.cut(content, one.plan, one.size) if one.plan else None
                self._checked += 1
                self._wrong += kept is None
                if kept is not None:
                    heads[one.uid] = (one, kept)
        return heads


def _group_by_length(planned: Sequence[Listed]) -> Iterator[list[Listed]]:
    """Group messages of similar length for one command; the last of a group is the longest."""
    group: list[Listed] = []
    for one in sorted(planned, key=lambda listed: listed.length):
        if group and one.length > group[0].length * _LENGTH_SPREAD:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _by_uid(found: tuple[Listed, bytes]) -> int:
    return found[0].uid


def _still_there(connection: Connection, uids: set[int]) -> set[int]:
    """Return those of some messages that are in the folder; others may have moved them meanwhile."""
    return uids & connection.fetch(uid_set(sorted(uids)), "(UID)").keys() if uids else set()


def fetch_whole(connection: Connection, message: Message, unfetched: Unfetched) -> Message | None:
    """Fetch a message again with all its bytes; None if it is gone or cannot be fetched."""
    place = message.location
    known = Listed(uid=int(place.uid), size=message.size, received_at=message.received_at)
    fetcher = PartialFetch(wished=False)
    return next((_message(place, *found) for found in fetcher.fetch(connection, [known], unfetched)), None)


def _message(location: MessageLocation, known: Listed, body: bytes) -> Message:
    is_partial = known.plan is not None
    is_cut = len(body) == MAX_MESSAGE
    size = max(known.size, MAX_MESSAGE) if is_cut else len(body)
    return Message(
        location=location,
        raw=body,
        size=known.size if is_partial else size,
        received_at=known.received_at,
        is_partial=is_partial,
    )
