"""What the rules look at around a bounce, asked for each bounce or for those of a whole group at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bounce_watch.detect import Facet, Rule, key_of
from bounce_watch.model import Cause, Event
from bounce_watch.pipeline.context import Context
from bounce_watch.store import Transaction

Span = tuple[datetime, datetime]
Wanted = Sequence[tuple[str, Sequence[Event]]]
"""Keys of one rule, with the new events of each."""

MOST_EVENTS, MOST_KEYS = 2_000, 500
"""What is more is asked for bounce by bounce, so that a group holds little."""

_ONE_COLUMN = (Facet.SENDER, Facet.SENDER_DOMAIN, Facet.RECIPIENT, Facet.RECIPIENT_DOMAIN)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """All events of some keys of one rule within a span, oldest first."""

    span: Span
    events: Mapping[str, Sequence[Event]]

    def holds(self, key: str, span: Span) -> bool:
        return key in self.events and self.span[0] <= span[0] and span[1] <= self.span[1]

    def within(self, key: str, span: Span, newest: int) -> list[Event]:
        """Return the events of a key, but for those that come behind the bounce `newest`."""
        return [
            event
            for event in self.events[key]
            if span[0] <= event.occurred_at <= span[1] and event.bounce_id <= newest
        ]


def around(rule: Rule, events: Sequence[Event]) -> Span:
    """Return the time that any window which holds one of these events can hold."""
    times = [event.occurred_at for event in events]
    return min(times) - rule.window, max(times) + rule.window


def foresee_windows(context: Context, tx: Transaction, rule: Rule, wanted: Wanted) -> Foreseen | None:
    """Ask for the windows of several keys at once; None when they hold too much."""
    keys = [key for key, _ in wanted]
    span = around(rule, [event for _, events in wanted for event in events])
    if len(keys) > MOST_KEYS:
        return None
    found = tx.events(
        since=span[0], until=span[1], causes=_causes(rule), limit=MOST_EVENTS, **_named(rule, keys)
    )
    if len(found) == MOST_EVENTS:
        return None
    sorted_out: dict[str, list[Event]] = {key: [] for key in keys}
    for event in found:
        key = key_of(rule, event, context.site.accepted_evidence)
        if key in sorted_out:
            sorted_out[key].append(event)
    return Foreseen(span, sorted_out)


def of_key(context: Context, tx: Transaction, rule: Rule, key: str, span: Span) -> list[Event]:
    """Return what the rule sees of a key; the store narrows down, the rule decides."""
    events = tx.events(since=span[0], until=span[1], causes=_causes(rule), **_named(rule, [key]))
    accepted = context.site.accepted_evidence
    return [event for event in events if key_of(rule, event, accepted) == key]


def _causes(rule: Rule) -> frozenset[Cause]:
    """Return the causes that the rule names, empty for all: a condition without is met by any event."""
    named = [condition.causes for condition in rule.where]
    return frozenset().union(*named) if all(named) else frozenset()


def _named(rule: Rule, keys: Sequence[str]) -> dict[str, Any]:
    """Return the column of the store that narrows down to these keys, and its values."""
    if rule.group_by is Facet.SENDER_AND_RECIPIENT:
        return {Facet.SENDER.value: [key.partition(" to ")[0] for key in keys]}
    return {rule.group_by.value: keys} if rule.group_by in _ONE_COLUMN else {}
