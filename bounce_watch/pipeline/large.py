"""Large messages wait until every small one is stored: only they can take seconds to read."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source.interface import Message

LARGE = 64 * 1024
"""Bytes from which a message waits."""
MAX_KEPT = 16 * 1024 * 1024
"""Bytes kept of messages that wait; others are fetched again."""


@dataclass(slots=True)
class LargeMessages:
    """The large messages of one mailbox that wait, without their bytes if these are too many."""

    waiting: dict[MessageLocation, Message] = field(default_factory=dict)

    def set_aside(self, message: Message) -> bool:
        """Let a message wait if it is large; return whether it waits."""
        if message.size <= LARGE or message.location in self.waiting:
            return message.location in self.waiting
        kept = sum(len(one.raw) for one in self.waiting.values()) + len(message.raw)
        if message.is_partial or kept > MAX_KEPT:
            message = replace(message, raw=b"", is_partial=True)
        self.waiting[message.location] = message
        return True

    def quick(
        self, messages: Iterable[Message], on_waiting: Callable[[MessageLocation], None]
    ) -> Iterator[Message]:
        """Yield the messages that need not wait; a partial one is small, whatever its size."""
        for message in messages:
            if not message.is_partial and self.set_aside(message):
                on_waiting(message.location)
            else:
                yield message

    def take(self, seconds: float | None) -> Iterator[Message]:
        """Yield the waiting messages, the smallest first, until the seconds are over; at least one."""
        until = None if seconds is None else time.monotonic() + seconds
        for location in sorted(self.waiting, key=lambda place: self.waiting[place].size):
            yield self.waiting.pop(location)
            if until is not None and time.monotonic() > until:
                return
