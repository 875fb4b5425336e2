"""The incidents of one rule and key during a replay: opened, resolved, reopened."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from bounce_watch.detect.rule import Rule
from bounce_watch.detect.threshold import finding_of
from bounce_watch.model import Event, Finding

GROWTH = (2, 4, 8)


@dataclass(slots=True, kw_only=True)
class IncidentRun:
    """One incident during the replay: last noisy at `active_at`, opened with `opened_with` messages."""

    rule: Rule
    key: str
    opened_at: datetime
    active_at: datetime
    events: list[tuple[datetime, Event]] = field(default_factory=list)
    opened_with: int = 0
    messages: set[int] = field(default_factory=set)
    resolved_at: datetime | None = None
    reopened: int = 0
    silence: Finding | None = None

    def add(self, at: datetime, event: Event) -> None:
        self.events.append((at, event))
        self.messages.add(event.message_id)

    @property
    def finding(self) -> Finding:
        return self.silence or finding_of(self.rule, self.key, self.events)

    @property
    def mails(self) -> int:
        grown = [step for step in GROWTH if 0 < self.opened_with * step <= len(self.messages)]
        return 1 + len(grown) + self.reopened + (self.resolved_at is not None)


class Timeline:
    """The incidents of one rule and key during the replay, in order. `current` is the open one, or None."""

    def __init__(self, rule: Rule, key: str) -> None:
        self.runs: list[IncidentRun] = []
        self.current: IncidentRun | None = None
        self._rule = rule
        self._key = key

    def resolve_if_quiet(self, at: datetime) -> bool:
        """Resolve the current incident if it was quiet for long enough before `at`; tell whether it was."""
        run = self.current
        if run is None:
            return False
        over_at = max(run.active_at, run.opened_at) + self._rule.quiet_resolve
        if at <= over_at:
            return False
        run.resolved_at, self.current = over_at, None
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
        self.current = IncidentRun(
            rule=self._rule,
            key=self._key,
            opened_at=at,
            active_at=at,
            events=timed,
            opened_with=len(messages),
            messages=messages,
        )
        self.runs.append(self.current)
