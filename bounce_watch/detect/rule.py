"""What a detection rule says: which events it looks at, how it groups and counts them, when it fires."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bounce_watch.model import Cause, Event, Owner, Severity, Side

TENANT = "tenant"
"""The key of rules that watch the organisation as a whole."""


class RuleError(ValueError):
    """A rule cannot be used; the message names the rule and the repair."""


class Shape(StrEnum):
    """How a rule counts: messages, or different values of one facet."""

    COUNT = "count"
    DISTINCT = "distinct"


class Facet(StrEnum):
    """What events are grouped by and told apart by."""

    SENDER = "sender"
    SENDER_DOMAIN = "sender_domain"
    RECIPIENT_DOMAIN = "recipient_domain"
    TENANT = TENANT

    def of(self, event: Event) -> str | None:
        """Return the event's value, lower-case, None when the event has none."""
        if self is Facet.TENANT:
            return TENANT
        value: str | None = getattr(event, self.value)
        return value.lower() if value else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What an event must be: every part that is given has to hold. An empty one fits every event."""

    causes: frozenset[Cause] = frozenset()
    codes: frozenset[str] = frozenset()
    side: Side | None = None

    def fits(self, event: Event) -> bool:
        return (
            (not self.causes or event.cause in self.causes)
            and (not self.codes or event.status in self.codes)
            and (self.side is None or event.side is self.side)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """What a window must hold besides: so many messages, outside domains and senders."""

    messages: int = 0
    recipient_domains: int = 0
    senders: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the rules file.

    The rule looks at an event that fits any of `where`. It opens at `open_at` within `window` and is quiet
    when it stayed under `resolve_below` for `quiet_resolve`. `distinct` is None for the shape `count`.
    `inhibits` and `links` name other rules: what this one explains, and what may be behind it.
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
    inhibits: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
