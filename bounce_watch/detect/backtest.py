"""Replay stored events through rules in memory: which incidents would have opened, and when."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from bounce_watch.detect.absence import MIN_GAP, find_silence
from bounce_watch.detect.baseline import HOUR, Baseline, find_unusual, hour_of, learn, widths_of
from bounce_watch.detect.inhibition import explains
from bounce_watch.detect.rule import Rule, Shape
from bounce_watch.detect.threshold import COUNTING, Window, fires, key_of
from bounce_watch.detect.timeline import IncidentRun, Timeline
from bounce_watch.model import Event, Evidence, Finding

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


def replay(
    rules: Sequence[Rule],
    events: Iterable[Event],
    *,
    accepted: frozenset[Evidence],
    zone: tzinfo,
    until: datetime,
) -> tuple[Replayed, ...]:
    """Return the incidents that these rules would have opened, in order of time.

    Events may come in any order and count at their event time. They name no mailbox, so the shape absence
    sees all together.
    """
    ordered = sorted(events, key=lambda event: (event.occurred_at, event.bounce_id))
    runs = [run for rule in rules for run in _runs(rule, ordered, accepted, zone, until)]
    runs.sort(key=lambda run: (run.opened_at, run.rule.id, run.key))
    by_id = {rule.id: rule for rule in rules}
    findings = [(run, run.finding) for run in runs]
    return tuple(_replayed(by_id, run, finding, findings) for run, finding in findings)


def _replayed(
    rules: Mapping[str, Rule],
    run: IncidentRun,
    finding: Finding,
    others: Sequence[tuple[IncidentRun, Finding]],
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


def _overlap(one: IncidentRun, other: IncidentRun) -> bool:
    """Tell whether two were open at the same time, within the settle time."""
    return all(
        second.resolved_at is None or first.opened_at <= second.resolved_at + SETTLE
        for first, second in ((one, other), (other, one))
    )


def _runs(
    rule: Rule, events: Sequence[Event], accepted: frozenset[Evidence], zone: tzinfo, until: datetime
) -> Iterator[IncidentRun]:
    if rule.shape is Shape.ABSENCE:
        trusted = [event.occurred_at for event in events if event.evidence in accepted]
        yield from _silences(rule, trusted, zone, until)
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


def _counted(rule: Rule, key: str, events: Sequence[Event], until: datetime) -> list[IncidentRun]:
    window, timeline = Window(rule), Timeline(rule, key)
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


def _unusual(
    rule: Rule, key: str, events: Sequence[Event], zone: tzinfo, until: datetime
) -> list[IncidentRun]:
    learned, timeline = Baseline(zone, widths_of(rule)), Timeline(rule, key)
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


def _silences(
    rule: Rule, arrivals: Sequence[datetime], zone: tzinfo, until: datetime
) -> Iterator[IncidentRun]:
    counts = Counter(map(hour_of, arrivals))
    for earlier, later in pairwise([*arrivals, until]):
        if later - earlier <= (rule.gap or MIN_GAP):
            continue
        known = {hour: count for hour, count in counts.items() if hour + HOUR <= earlier}
        learned = learn(known, arrivals[0], earlier, rule, zone)
        silence = find_silence(rule, learned, earlier, later)
        if silence is None:
            continue
        opened = next(at for at in _hours(earlier, later) if find_silence(rule, learned, earlier, at))
        over = later if later < until else None
        yield IncidentRun(
            rule=rule, key=silence.key, opened_at=opened, active_at=later, resolved_at=over, silence=silence
        )


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    at = since + HOUR
    while at < until:
        yield at
        at += HOUR
    yield until
