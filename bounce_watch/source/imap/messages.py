"""Fetch the wanted messages of a window of UIDs, batch by batch."""

from collections.abc import Callable, Iterable, Iterator

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.partial_fetch import PartialFetch
from bounce_watch.source.imap.responses import Items
from bounce_watch.source.imap.windows import Listed, MissingMessages, batches, fetch_contents, listed
from bounce_watch.source.interface import MAX_MESSAGE, Message, Wanted


def read_messages(
    connection: Connection,
    windows: Iterable[dict[int, Items]],
    location: Callable[[int], MessageLocation],
    wanted: Wanted,
    *,
    fetcher: PartialFetch,
    missing: MissingMessages,
) -> Iterator[list[Message]]:
    """Yield the wanted messages in order of UIDs; note those without content as missing."""
    for window in windows:
        known = {location(uid): uid for uid in window}
        needed = set(wanted(list(known)))
        uids = [uid for place, uid in known.items() if place in needed]
        for batch in batches(fetcher.planned(connection, (listed(uid, window[uid]) for uid in uids))):
            found = fetcher.fetch(connection, batch)
            missing.note(batch, found)
            yield [_message(location(one.uid), one, body) for one, body in found]


def fetch_whole(connection: Connection, message: Message) -> Message | None:
    """Fetch a message again with all its bytes; None if it is gone."""
    place = message.location
    known = Listed(uid=int(place.uid), size=message.size, received_at=message.received_at)
    return next((_message(place, *found) for found in fetch_contents(connection, [known])), None)


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
