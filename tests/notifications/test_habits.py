"""The one thing to improve per week: chosen by what bounced, told in the digest."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bounce_watch.model import Count, Digest, Edition
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.habits import habit_of_the_week, shipped_habits

MONDAY = date(2026, 11, 23)
HABITS = shipped_habits()


def digest_of(day: date, *causes: str, edition: Edition = Edition.DAILY) -> Digest:
    counts = tuple(Count(label=cause, now=9 - place) for place, cause in enumerate(causes))
    return replace(template_samples.digest(), local_date=day, causes=counts, edition=edition)


def chosen(cause: str) -> set[str]:
    weeks = (MONDAY + timedelta(weeks=number) for number in range(3))
    return {habit.name for day in weeks if (habit := habit_of_the_week(HABITS, digest_of(day, cause)))}


@pytest.mark.parametrize(
    ("cause", "name"),
    [
        ("message_too_large", "links"),
        ("spf_failed", "authentication"),
        ("sender_blocked", "restricted_entities"),
        ("recipient_unknown", "address_books"),
        ("tenant_quota_exceeded", "bulk_messages"),
    ],
)
def test_a_habit_is_chosen_by_what_bounced(cause: str, name: str) -> None:
    assert name in chosen(cause)
    assert len(chosen(cause)) == 3


def test_what_fits_every_week_has_its_turn_beside_what_bounced() -> None:
    weeks = [
        digest_of(MONDAY + timedelta(weeks=number), "recipient_unknown", "spf_failed") for number in range(4)
    ]
    told = [habit.name for digest in weeks if (habit := habit_of_the_week(HABITS, digest))]
    assert len(set(told)) == 4
    assert "service_health" in told


def test_the_daily_digest_tells_it_on_mondays_only() -> None:
    told = [
        habit_of_the_week(HABITS, digest_of(MONDAY + timedelta(days=day), "spf_failed")) for day in range(7)
    ]
    assert [habit is not None for habit in told] == [True] + [False] * 6


def test_the_weekly_digest_tells_it_on_its_day() -> None:
    friday = digest_of(MONDAY + timedelta(days=4), "spf_failed", edition=Edition.WEEKLY)
    assert habit_of_the_week(HABITS, friday) is not None
    assert habit_of_the_week(HABITS, replace(friday, edition=Edition.MONTHLY)) is None


def test_the_digest_shows_it(composer: Composer) -> None:
    digest = digest_of(MONDAY, "message_too_large")
    habit = habit_of_the_week(HABITS, digest)
    letter = composer.digest(digest, event_key="x", to="admin@contoso.example")
    assert habit is not None
    assert "ONE THING TO IMPROVE THIS WEEK" in letter.text
    assert " ".join(habit.text.split()) in " ".join(letter.text.split())
    assert habit.source in letter.html
