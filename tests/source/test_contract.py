"""What every source promises (source/interface.py), with the same messages in each."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC
from pathlib import Path

import pytest

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source import MAX_MESSAGE
from tests.source import samples
from tests.source.places import IMAP_VARIANTS, ON_DISK, Place, imap

Fill = Callable[..., Place]


@pytest.fixture(
    params=[*(pytest.param(name, marks=pytest.mark.servers) for name in IMAP_VARIANTS), *ON_DISK],
)
def fill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fill]:
    """Return a function that puts messages into a fresh place of one kind."""
    with ExitStack() as stack:

        def start(*messages: bytes) -> Place:
            if request.param in IMAP_VARIANTS:
                return stack.enter_context(imap(messages, **IMAP_VARIANTS[request.param]))
            return stack.enter_context(ON_DISK[request.param](messages, tmp_path))

        yield start


def locations(place: Place) -> list[MessageLocation]:
    return [message.location for message in place.source.messages()]


def test_all_messages_come_byte_for_byte_and_oldest_first(fill: Fill) -> None:
    """Order, content, size and time of arrival."""
    place = fill(*samples.ALL)
    with place.source:
        found = list(place.source.messages())
        assert place.source.count() in {4, None}
    assert [message.raw for message in found] == list(samples.ALL)
    assert [message.size for message in found] == [len(raw) for raw in samples.ALL]
    assert all(message.received_at and message.received_at.tzinfo is UTC for message in found)


def test_each_message_has_a_locator_of_its_own_that_a_second_walk_repeats(fill: Fill) -> None:
    """Without it a message would be processed twice, or one would hide another."""
    place = fill(*samples.ALL)
    with place.source:
        first = locations(place)
    with place.source:
        assert locations(place) == first
    assert len(set(first)) == 4
    assert all(location.mailbox == place.source.name for location in first)


def test_what_is_filed_or_quarantined_is_moved_and_the_rest_stays(fill: Fill) -> None:
    """Also while the walk goes on; sources without folders keep everything."""
    place = fill(*samples.ALL)
    with place.source:
        for message in place.source.messages():
            if message.raw == samples.REPORT:
                place.source.file(message.location)
            if message.raw == samples.FROM_LINE:
                place.source.quarantine(message.location)
        left = [message.raw for message in place.source.messages()]
        place.source.file()
    if place.moves:
        assert left == place.inside("watched") == [samples.ACCENTS, samples.NEWSLETTER]
        assert place.inside("filed") == [samples.REPORT]
        assert place.inside("quarantine") == [samples.FROM_LINE]
    else:
        assert left == list(samples.ALL)


def test_several_are_moved_together_and_those_that_are_gone_do_no_harm(fill: Fill) -> None:
    """The service files what it stored in one transaction."""
    place = fill(*samples.ALL)
    with place.source:
        known = locations(place)
        place.source.file(known[1])
        place.source.file(*known)
        left = locations(place)
    if place.moves:
        assert left == []
        assert place.inside("watched") == []
        assert sorted(place.inside("filed")) == sorted(samples.ALL)
    else:
        assert left == known


def test_a_message_that_is_gone_is_done(fill: Fill) -> None:
    """After a crash between commit and move, or a move that worked but raised, it is asked for again."""
    place = fill(*samples.ALL)
    with place.source:
        first = next(iter(locations(place)))
        place.source.file(first)
        place.source.file(first)
        place.source.quarantine(first)
    with place.source:
        place.source.file(first)
    if place.moves:
        assert place.inside("filed") == [samples.REPORT]
        assert place.inside("quarantine") == []


def test_what_is_not_wanted_is_asked_about_but_not_fetched(fill: Fill) -> None:
    """Newsletters that stay in the folder are not downloaded at every look."""
    place = fill(*samples.ALL)
    with place.source:
        known = locations(place)
        asked: list[MessageLocation] = []

        def wanted(locations: Sequence[MessageLocation]) -> list[MessageLocation]:
            asked.extend(locations)
            return [location for location in locations if location == known[2]]

        assert [message.raw for message in place.source.messages(wanted)] == [samples.FROM_LINE]
    assert asked == known


def test_a_message_beyond_the_limit_is_cut_and_its_true_size_is_told(fill: Fill) -> None:
    """At most two mebibytes of a message are read."""
    line = b"x" * 70 + b"\r\n"
    long = b"Subject: long\r\n\r\n" + line * (MAX_MESSAGE // len(line) + 2000)
    place = fill(long, samples.REPORT)
    with place.source:
        found = {message.location: message for message in place.source.messages()}
    cut, whole = found.values()
    assert cut.raw == long[:MAX_MESSAGE]
    assert cut.size == len(long)
    assert whole.raw == samples.REPORT


def test_an_empty_place_yields_nothing(fill: Fill) -> None:
    """The first day, and every quiet one."""
    place = fill()
    with place.source:
        assert list(place.source.messages()) == []
        assert place.source.count() in {0, None}


def test_a_walk_can_begin_where_the_last_one_ended(fill: Fill) -> None:
    """Where places have no order all is walked; nothing that is new is ever left out."""
    place = fill(*samples.ALL)
    with place.source:
        assert place.source.reached is None
        known = locations(place)
        end = place.source.reached
        place.add(b"Subject: new\r\n\r\nmail\r\n")
        after = {message.location for message in place.source.messages(after=end)}
        assert len(after - set(known)) == 1
        walking = place.source.messages()
        next(walking)
        del walking  # as a look that is broken off
        assert place.source.reached is None  # it did not end
    assert (end is not None) == place.source.name.startswith("imap:")


def test_waiting_ends_when_mail_comes_when_the_time_is_over_or_when_told_to_stop(fill: Fill) -> None:
    """Mail that arrived since the walk ends the wait too: the server announces it only once."""
    place = fill(samples.NEWSLETTER)
    with place.source:
        assert len(locations(place)) == 1
        assert not place.source.wait(0.2)
        assert not place.source.wait(60, lambda: True)
        place.add(samples.REPORT)
        assert place.source.wait(60)
        assert len(locations(place)) == 2


def test_mail_that_comes_while_we_wait_is_noticed(fill: Fill) -> None:
    """By IDLE, by the time of change of a folder, or by asking."""
    place = fill(samples.NEWSLETTER)
    with place.source, ThreadPoolExecutor(1) as threads:
        assert len(locations(place)) == 1

        def bring() -> None:
            time.sleep(0.2)
            place.add(samples.REPORT)

        coming = threads.submit(bring)
        assert place.source.wait(4)
        coming.result()
        assert len(locations(place)) == 2


def test_the_probe_finds_nothing_wrong_and_changes_nothing(fill: Fill) -> None:
    """`bounce-watch check` on a good configuration has no failure."""
    place = fill(*samples.ALL)
    checks = place.source.diagnose()
    assert checks
    assert {check.state for check in checks} <= {"ok", "warning"}
    with place.source:
        assert len(locations(place)) == 4
    if place.moves:
        assert place.inside("filed") == place.inside("quarantine") == []
