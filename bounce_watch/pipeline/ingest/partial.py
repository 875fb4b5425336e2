"""Mail of which the source fetched the head alone: settled when it is no report, else fetched whole.

Whatever is stored as a report or kept in quarantine was read from all of its bytes.
"""

from collections.abc import Callable, Iterable, Iterator

from bounce_watch.model import NotAReport
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline.context import Context
from bounce_watch.sandbox.outcome import Outcome, Overrun
from bounce_watch.source.interface import Message, Source, SupportsPartialFetch, Wanted

Read = tuple[Message, Outcome | None]
"""A message with what it was read as; None for one that is to be read when its turn comes."""


def fetch_messages(source: Source, wanted: Wanted, after: MessageLocation | None) -> Iterator[Message]:
    """Yield the messages of a source, as their heads where it can do that."""
    return (
        source.partial_messages(wanted, after)
        if isinstance(source, SupportsPartialFetch)
        else source.messages(wanted, after)
    )


def with_whole_reports(
    context: Context, source: Source, read: Iterable[Read], gone: Callable[[MessageLocation], None]
) -> Iterator[Read]:
    """Yield what was read, whole where the head is not enough; what is `gone` by then is told of."""
    for message, outcome in read:
        if not message.is_partial:
            yield message, outcome
            continue
        known = context.reader.read(message.raw) if outcome is None else outcome
        if is_settled(known):
            yield message, known
        elif (all_of_it := fetch_whole(source, message)) is not None:
            yield all_of_it, context.reader.read(all_of_it.raw)
        else:
            gone(message.location)


def is_settled(outcome: Outcome) -> bool:
    """Tell whether all readings of a head say that the mail is no report."""
    return not isinstance(outcome, Overrun) and all(isinstance(one, NotAReport) for one in outcome)


def fetch_whole(source: Source, message: Message) -> Message | None:
    """Return a message with all its bytes, None when it is gone."""
    return (
        source.fetch_whole(message)
        if message.is_partial and isinstance(source, SupportsPartialFetch)
        else message
    )
