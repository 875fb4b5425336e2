"""What every sender does: hand one frozen mail to the next server, and say honestly what became of it."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bounce_watch.model.check import Check


class Outcome(StrEnum):
    """What became of a mail.

    `later`: certainly not sent, try again. `failed`: certainly not sent, trying again cannot help.
    `stop`: certainly not sent, the configuration is at fault; send nothing more until it is repaired.
    `unknown`: the connection ended after the first byte of content and before the reply.
    """

    SENT = "sent"
    LATER = "later"
    FAILED = "failed"
    STOP = "stop"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The outcome with the server's own words (or ours), at most 500 characters.

    `repair` says what ends it, `commands` are lines of PowerShell for that; empty where nothing is known.
    """

    outcome: Outcome
    reply: str
    repair: str = ""
    commands: tuple[str, ...] = ()


class Sender(Protocol):
    """Use as a context manager; a connection is opened when first needed and kept."""

    name: str

    def __enter__(self) -> "Sender": ...
    def __exit__(self, *exc: object) -> None: ...

    def send(self, recipient: str, content: bytes) -> Delivery:
        """Send frozen bytes (CRLF line ends) to exactly one recipient. Never raises for mail faults."""

    def diagnose(self) -> list[Check]:
        """Test every step without sending anything. Works outside of `with`; never raises for mail faults."""


class SentLookup(Protocol):
    """Looks where sent mail lies, to learn whether a mail left whose sending was cut short.

    `is_complete`: whatever a server took is certain to be there, so a mail that is missing was not sent.
    """

    name: str

    @property
    def is_complete(self) -> bool: ...

    def find(self, bw_ids: Collection[str]) -> frozenset[str] | None:
        """Return those of our X-Bounce-Watch-IDs that were sent, None when nobody could look."""
