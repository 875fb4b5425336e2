"""A year and more of digests: clock changes, outages and jumps of the clock, without waiting."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from tests.pipeline.conftest import START, Home, ndr
from tests.store.rows import reading

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "UTC",
)
"""Clock changes of an hour in both hemispheres, one of half an hour, none, and both ends of the calendar."""

DIGEST_AT = time(2, 30)
"""Within the hour that a clock change leaves out or repeats in Europe and North America."""


@dataclass
class Year:
    """Plays days on one home and keeps what must come out: the bounces, and the dates that were seen."""

    home: Home
    zone: ZoneInfo
    chance: random.Random
    delivered: int = 0
    seen: set[date] = field(default_factory=set)
    moment: datetime = START

    def play(self, days: int) -> None:
        end = self.moment + timedelta(days=days)
        while self.moment < end:
            self.moment += timedelta(minutes=self.chance.randrange(60, 700))
            self._happen()
        for _ in range(6):  # the digest's hour comes once more, and once more after a doubt
            self.moment += timedelta(hours=8)
            self._look(self.moment)

    def _happen(self) -> None:
        """Mail arrives; mostly we look, sometimes we are away for days, or the clock is wrong for a look."""
        fate = self.chance.random()
        if fate < 0.004:
            self.moment += timedelta(hours=self.chance.randrange(30, 200))
        elif fate < 0.02:
            self._look(self.moment + timedelta(days=self.chance.choice((-400, -2, 3, 60, 4000))), wrong=True)
        for _ in range(self.chance.choice((0, 0, 1, 2))):
            self._deliver()
        self._look(self.moment)

    def _deliver(self) -> None:
        self.delivered += 1
        self.home.clock.now = self.moment
        late = self.moment - timedelta(hours=self.chance.choice((0, 0, 0, 30, 200)))
        who = f"p{self.delivered % 50}@larkfield.example"
        self.home.deliver(ndr(who, number=self.delivered, at=late), f"{self.delivered}.a")

    def _look(self, moment: datetime, *, wrong: bool = False) -> None:
        self.home.clock.now = moment
        self.home.look()
        local = moment.astimezone(self.zone)
        if not wrong and local.time() >= DIGEST_AT:
            self.seen.add(local.date())


@pytest.fixture
def play(open_home: Callable[..., Home]) -> Callable[..., Year]:
    def run(zone: str, days: int, *, begin: datetime = START) -> Year:
        home = open_home(
            # The days are kept longer than they are played: what a wrong clock deletes is missing then.
            ('at = "23:30:00"', f'at = "{DIGEST_AT}"\n[retention]\ndays = 500'),
            ('name = "Larkfield"', f'name = "Larkfield"\ntime_zone = "{zone}"'),
        )
        year = Year(home, ZoneInfo(zone), random.Random(20261124), moment=begin)
        year.play(days)
        return year

    return run


def digests(home: Home) -> Iterator[tuple[str, int]]:
    """Return each digest's date and the last bounce in it, oldest first."""
    written = "rowid" if home.config.store.url is None else "ctid"
    for day, end in ask(home, f"SELECT local_date, bounce_to FROM digest ORDER BY {written}"):
        yield str(day), end


def ask(home: Home, question: str) -> Iterator[Any]:
    with reading(home.context.store.location) as session:
        yield from session.connection().execute(text(question))


def judge(year: Year) -> None:
    """Every bounce lies in one digest, no date has two, and none that was seen after its hour is missing."""
    made = list(digests(year.home))
    dates = [day for day, _ in made]
    ends = [end for _, end in made]
    assert dates == sorted(set(dates))
    assert ends == sorted(ends)
    bounces = [number for (number,) in ask(year.home, "SELECT id FROM bounce")]
    mails = Counter(key for (key,) in ask(year.home, "SELECT event_key FROM outgoing WHERE kind = 'digest'"))
    assert len(bounces) == year.delivered
    for number in bounces:
        assert sum(start < number <= end for start, end in zip([0, *ends], ends, strict=False)) == 1
    assert set(mails.values()) == {1}
    assert len([key for key in mails if key.startswith("digest:")]) == len(made)
    missing = {str(day) for day in year.seen} - set(dates)
    print(f"{year.zone}: {len(made)} digests, {len(bounces)} bounces, {len(missing)} dates told a day later")
    assert len(missing) <= len(year.seen) / 40  # after an outage a date is doubted for one look


@pytest.mark.slow
def test_a_month_around_a_clock_change(play: Callable[..., Year]) -> None:
    judge(play("Europe/Berlin", 30, begin=datetime(2027, 3, 10, 0, 10, tzinfo=UTC)))


@pytest.mark.proof
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("zone", ZONES)
def test_four_hundred_days(play: Callable[..., Year], zone: str) -> None:
    judge(play(zone, 400))
