"""Detection rules as values: which events they use, how they group and count them, when they fire."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bounce_watch.model import Cause, Certainty, Event, Evidence, Owner, Severity, Side

TENANT = "tenant"
"""The key of rules about the whole organization."""


class RuleError(ValueError):
    """A rule cannot be used; the message names the rule and the fix."""


class Shape(StrEnum):
    """What a rule looks for: many messages, many different values, more than usual, or no messages."""

    COUNT = "count"
    DISTINCT = "distinct"
    BASELINE = "baseline"
    ABSENCE = "absence"


class Facet(StrEnum):
    """The value by which events are grouped or counted as different."""

    SENDER = "sender"
    SENDER_DOMAIN = "sender_domain"
    RECIPIENT = "recipient"
    RECIPIENT_DOMAIN = "recipient_domain"
    SENDER_AND_RECIPIENT = "sender_and_recipient"
    CAUSE = "cause"
    PROVEN = "proven"
    TENANT = TENANT

    @property
    def is_about_a_sender(self) -> bool:
        return self in (Facet.SENDER, Facet.SENDER_AND_RECIPIENT)

    def of(self, event: Event) -> str | None:
        """Return the event's value in lower case, None if it has none."""
        if self is Facet.TENANT:
            return TENANT
        if self is Facet.SENDER_AND_RECIPIENT:
            return f"{event.sender} to {event.recipient}".lower() if event.sender else None
        value: str | None = getattr(event, self.value)
        return value.lower() if value else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Requirements for an event: all that are given must hold. An empty one fits every event."""

    causes: frozenset[Cause] = frozenset()
    except_causes: frozenset[Cause] = frozenset()
    codes: frozenset[str] = frozenset()
    side: Side | None = None
    certainties: frozenset[Certainty] = frozenset()

    def fits(self, event: Event) -> bool:
        return (
            (not self.causes or event.cause in self.causes)
            and event.cause not in self.except_causes
            and (not self.codes or event.status in self.codes)
            and (self.side is None or event.side is self.side)
            and (not self.certainties or event.certainty in self.certainties)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """Further minimums of a window: messages, recipient domains and senders."""

    messages: int = 0
    recipient_domains: int = 0
    senders: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """Settings of the shape baseline, which needs at least `learn` of history with `events` messages.

    The rule opens when the number of messages in `window` (or `also_window`) is as high by chance with a
    probability below `p_open`. It resolves after `quiet_resolve` without a probability below `p_resolve`.
    """

    learn: timedelta = timedelta(days=14)
    events: int = 30
    p_open: float = 1e-3
    p_resolve: float = 1e-2
    also_window: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the rules file.

    The rule uses events that fit any of `where`. It opens at `open_at` within `window` and is quiet after it
    stayed under `resolve_below` for `quiet_resolve`. Within `reopen_within` the same incident reopens.
    `distinct` is None except for the shape distinct.
    `evidence` replaces the tiers that the site accepts; if empty, the site's tiers apply.
    `inhibits` names rules whose incidents this one explains, `links` rules that may be the reason for it.
    `guidance` is a sentence for senders while the incident is open, or empty.
    `usual` belongs to the shape baseline, `gap` to absence (None: learned).
    """

    id: str
    title: str
    shape: Shape
    where: tuple[Condition, ...]
    group_by: Facet
    distinct: Facet | None
    also_min: Minimum
    window: timedelta
    open_at: int
    resolve_below: int
    quiet_resolve: timedelta
    severity: Severity
    owner: Owner
    playbook: str
    reopen_within: timedelta = timedelta(days=1)
    evidence: frozenset[Evidence] = frozenset()
    inhibits: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    guidance: str = ""
    usual: Usual = Usual()
    gap: timedelta | None = None

    @property
    def widest(self) -> timedelta:
        """The longest span that the rule uses at once."""
        return max(self.window, self.usual.also_window or self.window)
