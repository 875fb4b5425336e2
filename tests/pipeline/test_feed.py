"""A feed of bounces that falls silent is noticed at any volume, per mailbox, and junk does not hide it."""

from datetime import datetime, timedelta

import pytest

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.parse import read
from bounce_watch.pipeline.incidents.rules import update_incidents
from bounce_watch.pipeline.ingest.message import ingest_messages
from bounce_watch.source.interface import Message
from tests.pipeline.conftest import START, Home, ndr

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SILENT_FROM = START + timedelta(minutes=5)
JUNK = b"From: win@elsewhere.example\r\nSubject: Undeliverable: you won\r\n\r\nopen this\r\n"


def store(
    home: Home, mailbox: str, raw: bytes, at: datetime, number: int
) -> tuple[Message, tuple[object, ...]]:
    place = MessageLocation(mailbox=mailbox, validity=1, uid=str(number))
    return Message(location=place, raw=raw, size=len(raw), received_at=at), read(raw)


def feed(home: Home, mailbox: str, per_hour: int, *, days: int = 16, first: int = 0) -> None:
    """Store reports for each hour of the days before START: fewer at night and at weekends."""
    home.clock.now, messages = START, []
    for hours in range(days * 24):
        at = START - hours * HOUR
        is_busy = 7 <= at.hour < 19 and at.weekday() < 5
        for one in range(per_hour if is_busy else hours % 2):
            number = first + hours * 100 + one
            raw = ndr(
                sender=f"p{number}@larkfield.example",
                recipient=f"r{number}@d{number}.example",
                number=number,
                at=at - timedelta(minutes=one % 60),
            )
            messages.append(store(home, mailbox, raw, at, number))
    for start in range(0, len(messages), 200):
        ingest_messages(home.context, messages[start : start + 200], historical=True)  # type: ignore[arg-type]


def silent(home: Home, after: timedelta, *polled: str) -> list[str]:
    """Return the keys of the open incidents about silence, when the mailboxes are still read."""
    home.clock.now = START + after
    with home.context.store.transaction() as tx:
        for mailbox in polled:
            tx.mailboxes.note_fetch(home.clock.now, mailbox)
        update_incidents(home.context, tx)
    found = home.context.store.incidents.list_open()
    return sorted(one.finding.key for one in found if one.finding.rule_id == "feed_silent")


@pytest.mark.slow
@pytest.mark.parametrize("per_hour", [1, 12])
def test_a_silent_feed_is_noticed_at_any_volume_and_its_return_too(home: Home, per_hour: int) -> None:
    """From 145 messages a day on, the newest 2,000 arrivals spanned fewer days than it wanted to know."""
    feed(home, "one", per_hour)
    assert silent(home, 5 * HOUR, "one") == []
    limit = 9 * HOUR if per_hour == 12 else 4 * DAY
    assert silent(home, limit, "one") == ["tenant"]
    raw = ndr(number=9_000_000, at=home.clock.now)
    ingest_messages(home.context, [store(home, "one", raw, home.clock.now, 9_000_000)])  # type: ignore[list-item]
    assert silent(home, limit + timedelta(minutes=1), "one") == []


@pytest.mark.slow
def test_junk_does_not_hide_a_dead_feed_nor_does_another_mailbox(home: Home) -> None:
    feed(home, "one", 2)
    feed(home, "two", 2, first=5_000_000)
    for hours in range(1, 97, 12):
        at = START + hours * HOUR
        home.clock.now = at
        alive = ndr(number=8_000_000 + hours, at=at, sender=f"x{hours}@larkfield.example")
        ingest_messages(
            home.context,
            [store(home, "one", JUNK, at, 7_000_000 + hours), store(home, "two", alive, at, hours)],  # type: ignore[list-item]
            historical=True,
        )
    assert silent(home, 96 * HOUR, "one", "two") == ["one"]


@pytest.mark.slow
def test_nights_weekends_and_mailboxes_that_are_not_read_are_no_silence(home: Home) -> None:
    feed(home, "one", 12)  # a Monday morning
    quiet = START.replace(hour=18) + 4 * DAY - START  # from Monday to Friday evening nothing is read
    assert silent(home, quiet) == []
    feed(home, "two", 6, days=15, first=3_000_000)
    assert silent(home, 5 * HOUR, "two") == []
