"""What one message brought, and what one cycle did, for output and metrics."""

from dataclasses import dataclass, field

from bounce_watch.model import Kind
from bounce_watch.pipeline.outbox.deliver import Delivered
from bounce_watch.store import MessageState

_COUNTS = ("messages", "bounces", "duplicates", "letters", "withheld", "quarantined", "left", "skipped")


@dataclass(slots=True, kw_only=True)
class IngestedMessage:
    """What a message led to.

    `state` is stored (to be filed), quarantined, left, or seen (to be retried).
    `kind` is that of its most important report, or what the message is instead. `is_known`: it was stored
    before its folder was numbered anew.
    """

    state: MessageState
    kind: Kind
    bounces: int = 0
    duplicates: int = 0
    opened: tuple[int, ...] = ()
    letters: int = 0
    withheld: int = 0
    reason: str | None = None
    is_known: bool = False


@dataclass(slots=True, kw_only=True)
class CycleResult:
    """What one cycle did. `kinds` counts the new messages by kind.

    `skipped` counts messages that could not be opened, `held` all mails that wait for release,
    `in_other_hands` messages that other watchers of the same mailbox hold.
    """

    messages: int = 0
    bounces: int = 0
    duplicates: int = 0
    letters: int = 0
    withheld: int = 0
    quarantined: int = 0
    left: int = 0
    skipped: int = 0
    in_other_hands: int = 0
    kinds: dict[Kind, int] = field(default_factory=dict)
    opened: list[int] = field(default_factory=list)
    resolved: tuple[int, ...] = ()
    digest: bool = False
    held: int = 0
    delivered: Delivered = field(default_factory=Delivered)

    def add(self, ingested: IngestedMessage) -> None:
        if ingested.is_known:
            return
        self.messages += 1
        self.bounces += ingested.bounces
        self.duplicates += ingested.duplicates
        self.letters += ingested.letters
        self.withheld += ingested.withheld
        self.quarantined += ingested.state is MessageState.QUARANTINED
        self.left += ingested.state is MessageState.LEFT
        self.kinds[ingested.kind] = self.kinds.get(ingested.kind, 0) + 1
        self.opened.extend(ingested.opened)

    def merge(self, other: "CycleResult") -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, count in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + count
        self.opened += other.opened
        self.resolved += other.resolved
        self.digest = self.digest or other.digest
        self.held = other.held
        self.delivered.merge(other.delivered)
