"""The shapes count and distinct: decide whether a rule fires for a key, and whether it is quiet.

A window slides over events in order of event time, never of arrival time, and counts what it holds.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from bounce_watch.detect.rule import Facet, Rule, Shape
from bounce_watch.model import Event, Evidence, Finding

MAX_EVIDENCE = 200
"""Maximum number of bounce IDs in a finding; the newest are kept."""

COUNTING = frozenset({Shape.COUNT, Shape.DISTINCT})
"""Shapes that can fire at each event."""

Timed = tuple[datetime, Event]


class Window:
    """The events within one span of time, counted as they enter and leave."""

    def __init__(self, rule: Rule) -> None:
        self.events: deque[tuple[datetime, Event]] = deque()
        self.messages: Counter[int] = Counter()
        facets = {Facet.SENDER, Facet.RECIPIENT_DOMAIN, rule.distinct or Facet.SENDER}
        self.facets: dict[Facet, Counter[str]] = {facet: Counter() for facet in facets}

    def slide(self, at: datetime, event: Event, span: timedelta) -> None:
        """Add an event and drop those that are more than `span` older."""
        self.events.append((at, event))
        self._count(event, 1)
        while self.events[0][0] < at - span:
            self._count(self.events.popleft()[1], -1)

    def _count(self, event: Event, by: int) -> None:
        _add(self.messages, event.message_id, by)
        for facet, counter in self.facets.items():
            value = facet.of(event)
            if value is not None:
                _add(counter, value, by)

    def size(self, rule: Rule) -> int:
        """Return the rule's count: different values of its facet, or messages (not recipients)."""
        return len(self.messages) if rule.distinct is None else len(self.facets[rule.distinct])

    def has_minimum(self, rule: Rule) -> bool:
        minimum = rule.also_min
        return (
            len(self.messages) >= minimum.messages
            and len(self.facets[Facet.RECIPIENT_DOMAIN]) >= minimum.recipient_domains
            and len(self.facets[Facet.SENDER]) >= minimum.senders
        )


def _add(counter: Counter[int] | Counter[str], value: int | str, by: int) -> None:
    counts: Counter[int | str] = counter  # type: ignore[assignment]
    counts[value] += by
    if not counts[value]:
        del counts[value]


def windows(rule: Rule, events: Sequence[tuple[datetime, Event]]) -> Iterator[Window]:
    """Yield one window at each of its positions. Events must be in order of time; the window ends at each."""
    window = Window(rule)
    for at, event in events:
        window.slide(at, event, rule.window)
        yield window


def key_of(rule: Rule, event: Event, accepted: frozenset[Evidence]) -> str | None:
    """Return the group of an event, None if the rule does not use it.

    Evidence outside `accepted` never counts, unless the rule names its own tiers. What a member forwarded
    counts about this member only, so not in groups of several senders.
    """
    if event.evidence is Evidence.MEMBER and not rule.group_by.is_about_a_sender:
        return None
    if event.evidence not in (rule.evidence or accepted) or not any(
        condition.fits(event) for condition in rule.where
    ):
        return None
    return rule.group_by.of(event)


def evaluate(rule: Rule, key: str, events: Sequence[Event], now: datetime) -> Finding | None:
    """Return what the rule finds for one key among events of any age, None if no window reaches `open_at`.

    Every window is checked, because late arrivals count at their event time. Events more than
    `quiet_resolve` apart belong to different incidents: the newest stretch that fires decides, with its
    largest window. None for the shapes baseline and absence.
    """
    if rule.shape not in COUNTING:
        return None
    for stretch in reversed(_stretches(rule, in_order(events, now))):
        found = _largest(rule, stretch)
        if found:
            return finding_of(rule, key, found)
    return None


def adds_nothing(rule: Rule, new: Sequence[Event], near: Sequence[Event], now: datetime) -> bool:
    """Tell whether a rule that does not fire without the new events of a message cannot fire with them.

    `near` holds the newest events of the key, up to one window after the new ones. If every window with a new
    event also holds other messages with the same values, and enough of them, the new event changes neither
    the rule's count nor a minimum. For a rule that counts messages, each adds something.
    """
    if rule.distinct is None:
        return False
    own, timed = {event.message_id for event in new}, in_order(near, now)
    first, last = min(now, *(event.occurred_at for event in new)), timed[-1][0] if timed else now
    others = [
        event for at, event in timed if last - rule.window <= at <= first and event.message_id not in own
    ]
    minimum = rule.also_min
    counted = {Facet.RECIPIENT_DOMAIN: minimum.recipient_domains, Facet.SENDER: minimum.senders}
    counted[rule.distinct] = 1
    return len({event.message_id for event in others}) >= max(minimum.messages, 1) and all(
        {facet.of(event) for event in new} - {None} <= {facet.of(event) for event in others}
        for facet, least in counted.items()
        if least
    )


def is_quiet(rule: Rule, events: Sequence[Event], now: datetime) -> bool:
    """Tell whether every window of the last `quiet_resolve` stayed under `resolve_below`."""
    recent = [(at, event) for at, event in in_order(events, now) if at > now - rule.quiet_resolve]
    return all(window.size(rule) < rule.resolve_below for window in windows(rule, recent))


def in_order(events: Iterable[Event], now: datetime) -> list[Timed]:
    """Order events by time. A date in the future comes from a wrong clock and counts as now."""
    timed = ((min(event.occurred_at, now), event) for event in events)
    return sorted(timed, key=lambda pair: (pair[0], pair[1].bounce_id))


def _stretches(rule: Rule, timed: list[Timed]) -> list[list[Timed]]:
    """Split events at gaps so long that an incident would have ended."""
    gap = max(rule.quiet_resolve, rule.window)
    stretches: list[list[Timed]] = []
    last: datetime | None = None
    for at, event in timed:
        if last is None or at - last > gap:
            stretches.append([])
        stretches[-1].append((at, event))
        last = at
    return stretches


def _largest(rule: Rule, timed: list[Timed]) -> list[Timed] | None:
    """Return the events of the largest window that fires, the newest of equally large ones."""
    best: tuple[int, int] = (0, 0)
    span: tuple[datetime, datetime] | None = None
    for window in windows(rule, timed):
        reached = (window.size(rule), len(window.messages))
        if fires(rule, window) and reached >= best:
            best, span = reached, (window.events[0][0], window.events[-1][0])
    if span is None:
        return None
    return [(at, event) for at, event in timed if span[0] <= at <= span[1]]


def fires(rule: Rule, window: Window) -> bool:
    """Tell whether a window holds enough for the rule to open."""
    return window.size(rule) >= rule.open_at and window.has_minimum(rule)


def finding_of(rule: Rule, key: str, timed: Sequence[Timed]) -> Finding:
    """Return the finding of a rule for these events, which must be in order of time."""
    events = [event for _, event in timed]
    return Finding(
        rule_id=rule.id,
        key=key,
        title=rule.title,
        severity=rule.severity,
        owner=rule.owner,
        playbook=rule.playbook,
        first_at=timed[0][0],
        last_at=timed[-1][0],
        messages=len({event.message_id for event in events}),
        senders=_values(Facet.SENDER, events),
        recipient_domains=_values(Facet.RECIPIENT_DOMAIN, events),
        statuses=tuple(sorted({event.status for event in events if event.status})),
        events=tuple(event.bounce_id for event in events)[-MAX_EVIDENCE:],
        confirmed=any(event.evidence is not Evidence.MEMBER for event in events),
    )


def _values(facet: Facet, events: Iterable[Event]) -> tuple[str, ...]:
    found = {value for event in events if (value := facet.of(event))}
    return tuple(sorted(found))
