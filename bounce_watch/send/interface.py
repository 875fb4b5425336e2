"""What every sender does: hand one frozen message to the next server and report the result."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bounce_watch.model.check import Check


class Outcome(StrEnum):
    """The result for one message.

    `later`: certainly not sent, try again. `failed`: certainly not sent, a retry cannot help.
    `stop`: certainly not sent, the configuration is wrong; send nothing until it is fixed.
    `unknown`: the connection ended after the first byte of content and before the reply.
    """

    SENT = "sent"
    LATER = "later"
    FAILED = "failed"
    STOP = "stop"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The outcome with the server's response (or our text), at most 500 characters.

    `is_about_one`: a temporary refusal of this recipient, which says nothing about other messages.
    `repair` says how to fix it, `commands` are lines of PowerShell for that; empty if unknown.
    """

    outcome: Outcome
    reply: str
    repair: str = ""
    commands: tuple[str, ...] = ()
    is_about_one: bool = False


class Sender(Protocol):
    """Use as a context manager; a connection is opened when first needed and kept."""

    name: str

    def __enter__(self) -> "Sender": ...
    def __exit__(self, *exc: object) -> None: ...

    def send(self, recipient: str, content: bytes) -> Delivery:
        """Send frozen bytes (CRLF line ends) to exactly one recipient. Never raises for mail faults."""

    def diagnose(self) -> list[Check]:
        """Test every step without sending anything. Works outside `with`; never raises for mail faults."""


class SentLookup(Protocol):
    """Searches stored copies of sent messages, to learn whether an interrupted message was sent.

    `is_complete`: the copies hold everything that a server accepted, so a missing message was not sent.
    """

    name: str

    @property
    def is_complete(self) -> bool: ...

    def find(self, bw_ids: Collection[str]) -> frozenset[str] | None:
        """Return those of our X-Bounce-Watch-IDs that were sent, None if the search failed."""
