"""Slide a window over events in order of time and count what it holds."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bounce_watch.detect.rule import Facet, Rule
from bounce_watch.model import Event


class Window:
    """Events that lie within one span of time, counted as they come and go."""

    def __init__(self, rule: Rule) -> None:
        self.events: deque[tuple[datetime, Event]] = deque()
        self.messages: Counter[int] = Counter()
        looked_at = {Facet.SENDER, Facet.RECIPIENT_DOMAIN, rule.distinct or Facet.SENDER}
        self.facets: dict[Facet, Counter[str]] = {facet: Counter() for facet in looked_at}

    def slide(self, at: datetime, event: Event, span: timedelta) -> None:
        """Take in an event and drop those that are more than `span` older."""
        self.events.append((at, event))
        self._count(event, 1)
        while self.events[0][0] < at - span:
            self._count(self.events.popleft()[1], -1)

    def _count(self, event: Event, by: int) -> None:
        _shift(self.messages, event.message_id, by)
        for facet, counter in self.facets.items():
            value = facet.of(event)
            if value is not None:
                _shift(counter, value, by)

    def size(self, rule: Rule) -> int:
        """Return what the rule counts: different values of its facet, or messages, never recipient rows."""
        return len(self.messages) if rule.distinct is None else len(self.facets[rule.distinct])

    def has_minimum(self, rule: Rule) -> bool:
        least = rule.also_min
        return (
            len(self.messages) >= least.messages
            and len(self.facets[Facet.RECIPIENT_DOMAIN]) >= least.recipient_domains
            and len(self.facets[Facet.SENDER]) >= least.senders
        )


def _shift(counter: Counter[int] | Counter[str], value: int | str, by: int) -> None:
    counts: Counter[int | str] = counter  # type: ignore[assignment]
    counts[value] += by
    if not counts[value]:
        del counts[value]


def windows(rule: Rule, events: Sequence[tuple[datetime, Event]]) -> Iterator[Window]:
    """Yield the same window at each of its positions: ending at each event, which come in order of time."""
    window = Window(rule)
    for at, event in events:
        window.slide(at, event, rule.window)
        yield window
