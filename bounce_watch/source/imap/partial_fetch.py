"""Look before downloading: of large mails whose last parts are attachments, only the head is fetched."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from bounce_watch.source.imap import head_plan as head
from bounce_watch.source.imap.bodystructure import Entity, structures_in
from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.errors import CommandRejected
from bounce_watch.source.imap.windows import Listed, fetch_beginnings, fetch_bodies, uid_set
from bounce_watch.source.interface import Unreachable

FROM_BYTES = 24 * 1024
"""Smaller mails are fetched at once: to ask for their structure costs as much."""
_TOGETHER = 50
"""Structures asked for at a time: a hostile one is a megabyte long."""
_WASTE = 1.3
_PROBATION = 20

Fetched = list[tuple[Listed, bytes]]


class PartialFetch:
    """Decides of which mails the head is enough, and gives up on a server whose structures are wrong.

    A connection that breaks at a structure is no reason to break at it for ever: `is_on` is False from then
    on, until `begin`.
    """

    def __init__(self, *, wished: bool) -> None:
        self.is_on = self._wished = wished
        self._looked = self._wrong = 0

    def begin(self) -> None:
        """Begin a walk."""
        is_unreliable = self._wrong >= _PROBATION and self._wrong * 2 > self._looked
        self.is_on = self._wished and not is_unreliable

    def planned(self, connection: Connection, messages: Iterable[Listed]) -> Iterator[Listed]:
        """Yield the messages; those of which the head is enough have a plan."""
        coming = iter(messages)
        while chunk := list(islice(coming, _TOGETHER)):
            structures = self._structures(connection, [one for one in chunk if one.size >= FROM_BYTES])
            for one in chunk:
                yield replace(one, plan=head.plan(structures.get(one.uid), one.size))

    def _structures(self, connection: Connection, large: Sequence[Listed]) -> dict[int, Entity]:
        if not self.is_on or not large:
            return {}
        try:
            return structures_in(connection.fetch_lines(uid_set(large), "(UID BODYSTRUCTURE)"))
        except CommandRejected:
            return {}
        except Unreachable:
            self.is_on = False
            raise

    def fetch(self, connection: Connection, batch: Sequence[Listed]) -> Fetched:
        """Return each message with its head if it has a plan that holds, else whole and without a plan."""
        heads = self._heads(connection, [one for one in batch if one.plan])
        rest = [replace(one, plan=None) for one in batch if one.uid not in heads]
        found = [*heads.values(), *fetch_bodies(connection, rest)]
        return sorted(found, key=lambda pair: pair[0].uid)

    def _heads(self, connection: Connection, planned: Sequence[Listed]) -> dict[int, tuple[Listed, bytes]]:
        heads = {}
        for group in _of_like_length(planned):
            for one, content in fetch_beginnings(connection, group, group[-1].length):
                kept = head.cut(content, one.plan, one.size) if one.plan else None
                self._looked += 1
                self._wrong += kept is None
                if kept is not None:
                    heads[one.uid] = (one, kept)
        return heads


def _of_like_length(planned: Sequence[Listed]) -> Iterator[list[Listed]]:
    """Group messages for one command, which has one length for all; the last of a group is the longest."""
    group: list[Listed] = []
    for one in sorted(planned, key=lambda listed: listed.length):
        if group and one.length > group[0].length * _WASTE:
            yield group
            group = []
        group.append(one)
    if group:
        yield group
