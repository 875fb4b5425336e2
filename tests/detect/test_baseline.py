"""The baseline: quiet on noisy streams, awake for bursts, frozen while it is open."""

import math
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bounce_watch.detect import Baseline, Usual, replay
from bounce_watch.detect.baseline import HOUR, chance_of
from bounce_watch.model import Event
from tests.detect.events import ACCEPTED, RULES
from tests.detect.test_fortnight import bounce

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
BY_HOUR = (1, 1, 1, 1, 2, 3, 6, 12, 22, 26, 25, 22, 16, 20, 22, 20, 17, 12, 7, 5, 4, 3, 2, 2)
WEEKS = 26


def stream(mean: float, seed: int, bursts: tuple[datetime, ...] = ()) -> list[Event]:
    """Half a year of an hourly mean that follows day and week, scattered more than by chance alone."""
    drawn = random.Random(f"{mean}-{seed}")
    events: list[Event] = []
    for number in range(WEEKS * 168):
        hour = MONDAY + number * HOUR
        usual = mean * BY_HOUR[hour.hour] * 24 / sum(BY_HOUR) * (1.25 if hour.weekday() < 5 else 0.35)
        count = _poisson(drawn, usual * drawn.gammavariate(10 / 3, 0.3)) + (15 if hour in bursts else 0)
        minutes = sorted(drawn.uniform(0, 60) for _ in range(count))
        events += [bounce(len(events) + n, hour + timedelta(minutes=m)) for n, m in enumerate(minutes)]
    return events


def _poisson(drawn: random.Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), drawn.random(), 0
    while product > limit:
        product, count = product * drawn.random(), count + 1
    return count


def opened(events: list[Event]) -> list[datetime]:
    until = MONDAY + timedelta(weeks=WEEKS)
    found = replay([RULES["volume_anomaly"]], events, accepted=ACCEPTED, zone=UTC, until=until)
    return [one.opened_at for one in found]


@pytest.mark.slow
@pytest.mark.parametrize("mean", [0.2, 0.5, 3.0])
def test_false_alarms_stay_under_one_in_two_weeks(mean: float) -> None:
    """Means an hour of the streams in our notes; the busiest one is measured apart, it takes longer."""
    alarms = sum(len(opened(stream(mean, seed))) for seed in (1, 2))
    assert alarms / (2 * (WEEKS - 2)) <= 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("mean", "least"), [(0.2, 6), (0.5, 6), (3.0, 3)])
def test_a_burst_is_seen_where_it_stands_out(mean: float, least: int) -> None:
    """Fifteen more within an hour, six times at different hours of the week."""
    bursts = tuple(MONDAY + timedelta(weeks=5 + 3 * n, days=n, hours=5 + 2 * n) for n in range(6))
    found = opened(stream(mean, 7, bursts))
    seen = [burst for burst in bursts if any(burst <= at < burst + 2 * HOUR for at in found)]
    assert len(seen) >= least


def test_without_enough_history_nothing_is_unusual() -> None:
    young, rare = Baseline(UTC, (1,)), Baseline(UTC, (1,))
    for number in range(13 * 24):
        young.observe(MONDAY + number * HOUR, 3)
    for number in range(60 * 24):
        rare.observe(MONDAY + number * HOUR, int(number % 72 == 0))
    assert not young.knows_enough(Usual())
    assert not rare.knows_enough(Usual())


def test_the_same_count_is_usual_on_monday_morning_and_unusual_on_sunday_night() -> None:
    learned = Baseline(UTC, (1,))
    for number in range(28 * 24):
        hour = MONDAY + number * HOUR
        learned.observe(hour, 12 if hour.weekday() < 5 and hour.hour == 9 else 0)
    monday, sunday = MONDAY + timedelta(weeks=4, hours=9), MONDAY + timedelta(weeks=4, hours=-2)
    assert learned.chance(12, monday, monday + HOUR) > 0.1
    assert learned.chance(12, sunday, sunday + HOUR) < 1e-4


def test_classes_are_hours_of_the_house_not_of_greenwich() -> None:
    """Eight in the morning in New York is another hour in UTC after the clocks changed."""
    zone = ZoneInfo("America/New_York")
    learned, march = Baseline(zone, (1,)), datetime(2026, 2, 9, tzinfo=UTC)
    for number in range(27 * 24):
        hour = march + number * HOUR
        learned.observe(hour, 9 if hour.astimezone(zone).hour == 8 else 0)
    after = datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert learned.expected(after, after + HOUR) > 5
    assert learned.expected(after + HOUR, after + 2 * HOUR) < 1


def test_a_burst_does_not_become_usual_by_itself() -> None:
    learned = Baseline(UTC, (1,))
    for number in range(28 * 24):
        learned.observe(MONDAY + number * HOUR, 1)
    before = learned.expected(MONDAY, MONDAY + HOUR)
    learned.observe(MONDAY + timedelta(weeks=4), 2_000)
    assert learned.expected(MONDAY, MONDAY + HOUR) < before + 1


@pytest.mark.parametrize(
    ("count", "mean", "scatter", "chance"),
    [
        pytest.param(0, 5.0, 0.3, 1.0, id="none or more is certain"),
        pytest.param(1, 1.0, 1e-6, 1 - math.exp(-1), id="without scatter it is a Poisson law"),
        pytest.param(1, 1.0, 1.0, 0.5, id="with scatter one it is a geometric law"),
        pytest.param(5_000, 2.0, 0.1, 0.0, id="beyond belief"),
    ],
)
def test_chances_are_those_of_the_law(count: int, mean: float, scatter: float, chance: float) -> None:
    assert chance_of(count, mean, scatter) == pytest.approx(chance, abs=1e-4)
