"""Who works with a store: one process with a file, several with a server.

What one process has in hand, no other takes: the places of messages it reads, the mails it sends, and what
only one does for all (settling incidents, digest, upkeep).
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from bounce_watch.model.message_location import MessageLocation


class Watcher(Protocol):
    """A process at work. All may raise StoreUnreachable where a server keeps the claims."""

    @property
    def owner(self) -> str:
        """The name under which it leases mails; no other run ever has it."""

    @property
    def is_alone(self) -> bool:
        """No other process can be at work."""

    def leads(self) -> bool:
        """Tell whether this process does what one does for all; take that over when nobody does."""

    def claim(self, locations: Sequence[MessageLocation]) -> Collection[MessageLocation]:
        """Take the messages at these places in hand; return those that no other process has."""

    def let_go(self, locations: Iterable[MessageLocation] | None = None) -> None:
        """Give places back, all of them for None."""

    def at_work(self) -> Collection[str]:
        """Return the owners that are alive, this one among them."""


class Alone:
    """The only process: whatever is there is its own."""

    is_alone = True

    def __init__(self, owner: str = "alone") -> None:
        self.owner = owner

    def leads(self) -> bool:
        return True

    def claim(self, locations: Sequence[MessageLocation]) -> Collection[MessageLocation]:
        return set(locations)

    def let_go(self, locations: Iterable[MessageLocation] | None = None) -> None:
        """Hold nothing."""

    def at_work(self) -> Collection[str]:
        return (self.owner,)
