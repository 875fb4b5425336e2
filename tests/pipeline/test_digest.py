"""The digest: once a local date, and every bounce in exactly one."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.pipeline.conftest import Home, ndr


@pytest.mark.slow
def test_each_day_has_one_digest_and_each_bounce_is_in_one(open_home: Callable[..., Home]) -> None:
    home = open_home(('at = "23:30:00"', 'at = "07:00:00"'))
    counted = []
    for day in range(5):
        home.deliver(ndr(number=day, at=home.clock.now), f"{day}.a")
        for _ in range(3):
            result = home.look()
            if result.digest:
                last = home.context.store.digests.last_date(home.clock.now.date())
                assert last is not None
                counted.append(home.context.store.digests.count(last, "UTC", home.clock.now).bounces.now)
            home.clock.now += timedelta(hours=8)
    assert len(counted) == 5
    assert sum(counted) == 5


def test_an_empty_day_may_be_passed_over(open_home: Callable[..., Home]) -> None:
    home = open_home(('at = "23:30:00"', 'at = "07:00:00"\nempty_days = false'))
    assert home.look().digest
    assert home.sent() == []
    assert not home.look().digest


@pytest.mark.slow
def test_a_clock_that_was_wrong_once_confirms_nothing_later(open_home: Callable[..., Home]) -> None:
    """A jump two months ahead and back; weeks later a short jump lands near the same wrong time."""
    home = open_home(('at = "23:30:00"', 'at = "07:00:00"'))
    start = home.clock.now
    assert home.look().digest
    home.clock.now = start + timedelta(days=60)
    assert not home.look().digest
    for day in range(1, 58):
        home.clock.now = start + timedelta(days=day)
        assert home.look().digest
    home.clock.now = start + timedelta(days=60, hours=2)
    assert not home.look().digest
    home.clock.now = start + timedelta(days=58)
    assert home.look().digest


@pytest.mark.slow
def test_a_digest_is_sent_when_no_poll_falls_between_its_hour_and_midnight(
    open_home: Callable[..., Home],
) -> None:
    """Polls by timer at ten past the hour, and a digest at a quarter to midnight: none was ever sent."""
    home = open_home(('at = "23:30:00"', 'at = "23:45:00"'))
    home.clock.now = home.clock.now.replace(hour=22, minute=10)
    made = []
    for _ in range(5 * 4):
        if home.look().digest:
            made.append(home.context.store.digests.last_date(home.clock.now.date()))
        home.clock.now += timedelta(hours=6)
    first = home.clock.now.date() - timedelta(days=5)
    assert made == [first + timedelta(days=day) for day in range(5)]


def test_a_service_that_starts_after_midnight_owes_no_digest_of_the_day_before(
    open_home: Callable[..., Home],
) -> None:
    home = open_home()
    home.clock.now = home.clock.now.replace(hour=0, minute=10) + timedelta(days=1)
    with home.context.store.transaction() as tx:
        tx.session.connection().exec_driver_sql("DELETE FROM meta WHERE name = 'first_run_at'")
        tx.state.start_run(home.clock.now)
    assert not home.look().digest
