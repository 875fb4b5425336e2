"""The shape baseline: what is usual at this hour of the week, by a seasonal negative binomial.

Hours have 48 classes: the hour of the day, on workdays or at weekends. Each class has an exponentially
fading mean. The scatter around the means is learned for each window width, because high counts come in a
row. A burst is capped at a barely plausible count before it is learned.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from bounce_watch.detect.rule import Rule, Usual
from bounce_watch.detect.threshold import finding_of, in_order
from bounce_watch.model import Event, Finding

HOUR = timedelta(hours=1)
FADE = 0.05
CLASSES = 48
_MIN_SEEN = 3
_MIN_SCATTER = 0.05
_ASSUMED_SCATTER = 0.5


def hour_of(at: datetime) -> datetime:
    """Return the full hour (UTC) of a time."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


class Baseline:
    """Learns hour by hour, in order. `widths` are the widths in hours of the windows to be judged."""

    def __init__(self, zone: tzinfo, widths: Sequence[int]) -> None:
        self.hours = 0
        self.messages = 0
        self._zone = zone
        self._mean = [0.0] * CLASSES
        self._seen = [0] * CLASSES
        self._blocks = {width: _Scatter(width) for width in widths}

    def observe(self, hour: datetime, count: int) -> None:
        """Learn the number of messages in the hour that begins at `hour`."""
        place = self._class(hour)
        mean, seen = self._mean[place], self._seen[place]
        learned = min(float(count), _plausible(mean)) if seen >= _MIN_SEEN else float(count)
        if seen >= _MIN_SEEN:
            for block in self._blocks.values():
                block.add(learned, mean)
        # The mean of all hours counts as one observation, because one hour of a class is too little.
        overall = self.messages / self.hours if self.hours else learned
        known = mean if seen else overall
        self._mean[place] = known + (learned - known) * max(FADE, 1 / (seen + 2))
        self._seen[place] += 1
        self.hours, self.messages = self.hours + 1, self.messages + count

    def knows_enough(self, usual: Usual) -> bool:
        """Tell whether there is enough history to call a count unusual."""
        return self.hours * HOUR >= usual.learn and self.messages >= usual.events

    def expected(self, since: datetime, until: datetime) -> float:
        """Return the usual number of messages in a span of time."""
        total, at = 0.0, hour_of(since)
        while at < until:
            share = (min(at + HOUR, until) - max(at, since)) / HOUR
            total += self._mean[self._class(at)] * share
            at += HOUR
        return total

    def chance(self, count: int, since: datetime, until: datetime) -> float:
        """Return the probability of at least `count` messages in a span of time."""
        width = max(1, round((until - since) / HOUR))
        block = self._blocks.get(width)
        return chance_of(count, self.expected(since, until), block.value if block else _ASSUMED_SCATTER)

    def _class(self, hour: datetime) -> int:
        local = hour.astimezone(self._zone)
        return local.hour + (24 if local.weekday() >= 5 else 0)


class _Scatter:
    """The scatter of sums over `width` hours around their expectation (method of moments)."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._hours = 0
        self._sum = self._expected = 0.0
        self._excess = self._squares = 0.0

    def add(self, count: float, mean: float) -> None:
        self._hours += 1
        self._sum += count
        self._expected += mean
        if self._hours == self._width:
            self._excess += (self._sum - self._expected) ** 2 - self._expected
            self._squares += self._expected**2
            self._hours, self._sum, self._expected = 0, 0.0, 0.0

    @property
    def value(self) -> float:
        return max(_MIN_SCATTER, self._excess / self._squares) if self._squares else _ASSUMED_SCATTER


def _plausible(mean: float) -> float:
    return mean + 4 * math.sqrt(mean + _ASSUMED_SCATTER * mean**2) + 3


def chance_of(count: int, mean: float, scatter: float) -> float:
    """Return P(X >= count) for a negative binomial with variance `mean + scatter * mean**2`."""
    if count <= 0:
        return 1.0
    mean = max(mean, 1e-3)
    if count > mean + 60 * math.sqrt(mean + scatter * mean**2) + 60:
        return 0.0
    size = 1 / scatter
    here, there = math.log(size / (size + mean)), math.log(mean / (size + mean))
    below = sum(
        math.exp(math.lgamma(n + size) - math.lgamma(size) - math.lgamma(n + 1) + size * here + n * there)
        for n in range(count)
    )
    return max(0.0, 1.0 - below)


def learn(
    counts: Mapping[datetime, int], since: datetime, until: datetime, rule: Rule, zone: tzinfo
) -> Baseline:
    """Learn from the number of messages per full hour (UTC); a missing hour had none."""
    learned = Baseline(zone, widths_of(rule))
    hour = hour_of(since)
    while hour + HOUR <= until:
        learned.observe(hour, counts.get(hour, 0))
        hour += HOUR
    return learned


def widths_of(rule: Rule) -> tuple[int, ...]:
    """Return the widths in hours of the rule's windows."""
    spans = (rule.window, rule.usual.also_window or rule.window)
    return tuple(sorted({max(1, round(span / HOUR)) for span in spans}))


def find_unusual(
    rule: Rule, key: str, learned: Baseline, events: Sequence[Event], now: datetime, *, p: float | None = None
) -> Finding | None:
    """Return what is unusual in the windows that end now, None for nothing or too little history.

    `p` is the probability below which a count is unusual, by default the rule's `p_open`.
    """
    if not learned.knows_enough(rule.usual):
        return None
    for width in widths_of(rule):
        since = now - width * HOUR
        timed = [(at, event) for at, event in in_order(events, now) if at > since]
        count = len({event.message_id for _, event in timed})
        if count >= rule.open_at and learned.chance(count, since, now) < (p or rule.usual.p_open):
            return finding_of(rule, key, timed)
    return None
