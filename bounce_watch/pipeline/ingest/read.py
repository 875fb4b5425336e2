"""Fetch and read messages: the one place where ingest reads a message.

A source may fetch only the head of a message. That's enough if the head shows that it isn't a report;
otherwise all of it is fetched and read.
"""

from collections.abc import Callable, Generator, Iterable, Iterator

from bounce_watch.model import NotAReport
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.large import LargeMessages
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.outcome import Outcome, Overrun
from bounce_watch.sandbox.pool import read_ahead
from bounce_watch.sandbox.reader import IsolatedReader
from bounce_watch.source.interface import Message, Source, SupportsPartialFetch, Wanted

ReadMessage = tuple[Message, Outcome]
"""A message with what it was read as."""

ReadAll = Callable[[Iterable[Message]], Iterator[ReadMessage]]


def fetch_messages(source: Source, wanted: Wanted, after: MessageLocation | None) -> Iterator[Message]:
    """Yield the messages of a source, only their heads where it supports that."""
    return (
        source.partial_messages(wanted, after)
        if isinstance(source, SupportsPartialFetch)
        else source.messages(wanted, after)
    )


def fetch_whole(source: Source, message: Message) -> Message | None:
    """Return a message with all its bytes, None when it is gone."""
    if not message.is_partial:
        return message
    if isinstance(source, SupportsPartialFetch):
        return source.fetch_whole(message)
    return next(
        iter(source.messages(lambda places: [one for one in places if one == message.location])), None
    )


def read_messages(
    context: Context,
    source: Source,
    messages: Iterable[Message],
    read_all: ReadAll | None,
    *,
    on_left: Callable[[MessageLocation], None],
    large: LargeMessages | None = None,
) -> Generator[ReadMessage, None, None]:
    """Yield each message with what it was read as, by `read_all` or by the reader of the context.

    Whatever is a report or can't be read was read from all its bytes. A message that disappeared before
    they were fetched, or that waits in `large`, is left out and reported to `on_left`.
    """
    if large is not None:
        messages = large.quick(messages, on_left)
    for message, outcome in (read_all or _reader_of(context))(messages):
        if not message.is_partial or _is_no_report(outcome):
            yield message, outcome
        elif large is not None and large.set_aside(message):
            on_left(message.location)
        elif (whole := fetch_whole(source, message)) is not None:
            yield whole, context.reader.read(whole.raw)
        else:
            on_left(message.location)


def _reader_of(context: Context) -> ReadAll:
    """Return the reader of the context. A process reads the next messages while one group is stored."""
    reader = context.reader
    if isinstance(reader, IsolatedReader):
        return lambda messages: read_ahead(reader, messages, lambda message: ReadRequest("", message.raw))
    return lambda messages: ((message, reader.read(message.raw)) for message in messages)


def _is_no_report(outcome: Outcome) -> bool:
    return not isinstance(outcome, Overrun) and all(isinstance(one, NotAReport) for one in outcome)
