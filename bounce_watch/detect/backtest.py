"""Replay stored events through rules in memory: which incidents would have opened, and when."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from bounce_watch.detect.absence import MAX_ARRIVALS, MIN_GAP, find_silence
from bounce_watch.detect.baseline import HOUR, Baseline, find_unusual, hour_of, widths_of
from bounce_watch.detect.inhibition import explains
from bounce_watch.detect.rule import Rule, Shape
from bounce_watch.detect.threshold import COUNTING, Window, finding_of, fires, key_of
from bounce_watch.model import Event, Evidence, Finding

GROWTH = (2, 4, 8)
SETTLE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """An incident that would have opened. `resolved_at` is None if it is still open at the end.

    `mails` is the number of alerts per admin: opening, growth, reopening, all-clear.
    """

    finding: Finding
    opened_at: datetime
    resolved_at: datetime | None
    reopened: int
    suppressed_by: str | None
    mails: int


@dataclass(slots=True, kw_only=True)
class _Run:
    """One incident during the replay: last noisy at `active_at`, opened with `opened_with` messages."""

    rule: Rule
    key: str
    opened_at: datetime
    active_at: datetime
    events: list[tuple[datetime, Event]]
    opened_with: int
    messages: set[int] = field(default_factory=set)
    resolved_at: datetime | None = None
    reopened: int = 0
    silence: Finding | None = None

    def add(self, at: datetime, event: Event) -> None:
        self.events.append((at, event))
        self.messages.add(event.message_id)

    def resolve_if_quiet(self, at: datetime) -> bool:
        """Resolve it if it was quiet for long enough before `at`; tell whether it is resolved."""
        over_at = max(self.active_at, self.opened_at) + self.rule.quiet_resolve
        if self.resolved_at is None and at > over_at:
            self.resolved_at = over_at
        return self.resolved_at is not None

    @property
    def finding(self) -> Finding:
        return self.silence or finding_of(self.rule, self.key, self.events)

    @property
    def mails(self) -> int:
        growth = (
            sum(len(self.messages) >= step * self.opened_with for step in GROWTH) if self.opened_with else 0
        )
        return 1 + growth + self.reopened + (self.resolved_at is not None)


def replay(
    rules: Sequence[Rule],
    events: Iterable[Event],
    *,
    accepted: frozenset[Evidence],
    zone: tzinfo,
    until: datetime,
) -> tuple[Replayed, ...]:
    """Return the incidents that these rules would have opened, in order of time.

    Events may come in any order and count at their event time. Messages that aren't bounces are not among
    them, so the shape absence sees bounces only.
    """
    ordered = sorted(events, key=lambda event: (event.occurred_at, event.bounce_id))
    runs = [run for rule in rules for run in _runs(rule, ordered, accepted, zone, until)]
    runs.sort(key=lambda run: (run.opened_at, run.rule.id, run.key))
    by_id = {rule.id: rule for rule in rules}
    findings = [(run, run.finding) for run in runs]
    return tuple(_replayed(by_id, run, finding, findings) for run, finding in findings)


def _replayed(
    rules: Mapping[str, Rule], run: _Run, finding: Finding, others: Sequence[tuple[_Run, Finding]]
) -> Replayed:
    explained = next(
        (
            other
            for other, greater in others
            if other is not run and _overlap(other, run) and explains(rules[other.rule.id], greater, finding)
        ),
        None,
    )
    return Replayed(
        finding=finding,
        opened_at=run.opened_at,
        resolved_at=run.resolved_at,
        reopened=run.reopened,
        suppressed_by=f"{explained.rule.id}:{explained.key}" if explained else None,
        mails=int(explained.opened_at > run.opened_at + SETTLE) if explained else run.mails,
    )


def _overlap(one: _Run, other: _Run) -> bool:
    """Tell whether two were open at the same time, within the settle time."""
    return all(
        second.resolved_at is None or first.opened_at <= second.resolved_at + SETTLE
        for first, second in ((one, other), (other, one))
    )


def _runs(
    rule: Rule, events: Sequence[Event], accepted: frozenset[Evidence], zone: tzinfo, until: datetime
) -> Iterator[_Run]:
    if rule.shape is Shape.ABSENCE:
        yield from _silences(rule, [event.occurred_at for event in events], until)
        return
    keyed: dict[str, list[Event]] = {}
    for event in events:
        key = key_of(rule, event, accepted)
        if key is not None:
            keyed.setdefault(key, []).append(event)
    for key, found in keyed.items():
        yield from (
            _counted(rule, key, found, until)
            if rule.shape in COUNTING
            else _unusual(rule, key, found, zone, until)
        )


class _Timeline:
    """The incidents of one rule and key during the replay, in order. `current` is the open one, or None."""

    def __init__(self, rule: Rule, key: str) -> None:
        self.runs: list[_Run] = []
        self.current: _Run | None = None
        self._rule = rule
        self._key = key

    def resolve_if_quiet(self, at: datetime) -> bool:
        """Resolve the current incident if it was quiet for long enough before `at`; tell whether it was."""
        if self.current is None or not self.current.resolve_if_quiet(at):
            return False
        self.current = None
        return True

    def open(self, at: datetime, events: Iterable[tuple[datetime, Event]]) -> None:
        """Open an incident, or reopen the last one if it was resolved recently."""
        timed = list(events)
        last = self.runs[-1] if self.runs else None
        if last and last.resolved_at and at - last.resolved_at <= self._rule.reopen_within:
            last.resolved_at, last.reopened = None, last.reopened + 1
            for moment, event in timed:
                last.add(moment, event)
            self.current = last
            return
        messages = {event.message_id for _, event in timed}
        self.current = _Run(
            rule=self._rule,
            key=self._key,
            opened_at=at,
            active_at=at,
            events=timed,
            opened_with=len(messages),
            messages=messages,
        )
        self.runs.append(self.current)


def _counted(rule: Rule, key: str, events: Sequence[Event], until: datetime) -> list[_Run]:
    window, timeline = Window(rule), _Timeline(rule, key)
    for event in events:
        at = event.occurred_at
        if timeline.resolve_if_quiet(at):
            window = Window(rule)
        window.slide(at, event, rule.window)
        if timeline.current is not None:
            timeline.current.add(at, event)
        elif fires(rule, window):
            timeline.open(at, window.events)
        if timeline.current is not None and window.size(rule) >= rule.resolve_below:
            timeline.current.active_at = at
    timeline.resolve_if_quiet(until)
    return timeline.runs


def _unusual(rule: Rule, key: str, events: Sequence[Event], zone: tzinfo, until: datetime) -> list[_Run]:
    learned, timeline = Baseline(zone, widths_of(rule)), _Timeline(rule, key)
    recent: deque[Event] = deque()
    waiting = _Hours(learned, hour_of(events[0].occurred_at))
    for event in events:
        at = event.occurred_at
        timeline.resolve_if_quiet(at)
        waiting.learn_until(at - rule.widest, frozen=timeline.current is not None)
        waiting.count(event)
        recent.append(event)
        while recent[0].occurred_at <= at - rule.widest:
            recent.popleft()
        if len(recent) < rule.open_at:
            continue
        if timeline.current is not None:
            timeline.current.add(at, event)
            if find_unusual(rule, key, learned, recent, at, p=rule.usual.p_resolve):
                timeline.current.active_at = at
        elif find_unusual(rule, key, learned, recent, at):
            timeline.open(at, [(one.occurred_at, one) for one in recent])
    timeline.resolve_if_quiet(until)
    return timeline.runs


class _Hours:
    """Messages per hour that a baseline has not learned yet."""

    def __init__(self, learned: Baseline, first: datetime) -> None:
        self._learned = learned
        self._next = first
        self._messages: dict[datetime, set[int]] = {}

    def count(self, event: Event) -> None:
        self._messages.setdefault(hour_of(event.occurred_at), set()).add(event.message_id)

    def learn_until(self, moment: datetime, *, frozen: bool) -> None:
        """Learn the full hours before a time; skip them while `frozen`."""
        while self._next + HOUR <= moment:
            messages = self._messages.pop(self._next, set())
            if not frozen:
                self._learned.observe(self._next, len(messages))
            self._next += HOUR


def _silences(rule: Rule, arrivals: Sequence[datetime], until: datetime) -> Iterator[_Run]:
    shortest = rule.gap or MIN_GAP
    for place, (earlier, later) in enumerate(zip(arrivals, [*arrivals[1:], until], strict=True), 1):
        if later - earlier <= shortest:
            continue
        known = arrivals[max(0, place - MAX_ARRIVALS) : place]
        silence = find_silence(rule, known, later)
        if silence is None:
            continue
        opened = next(at for at in _hours(earlier, later) if find_silence(rule, known, at))
        run = _Run(
            rule=rule,
            key=silence.key,
            opened_at=opened,
            active_at=later,
            events=[],
            opened_with=0,
            silence=silence,
        )
        run.resolved_at = later if place < len(arrivals) else None
        yield run


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    at = since + HOUR
    while at < until:
        yield at
        at += HOUR
    yield until
