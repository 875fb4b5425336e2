"""Large messages are read after all small ones, a few at a time: only they can take seconds."""

import time
from dataclasses import replace

import pytest

from bounce_watch.pipeline import Context, CycleResult
from bounce_watch.pipeline import check_mailbox as look_at
from bounce_watch.pipeline.large import LARGE
from bounce_watch.source.local.maildir import MaildirSource
from tests.pipeline.conftest import Home, ndr
from tests.pipeline.test_walking import opened
from tests.sandbox.test_reader import WORDY
from tests.servers.dovecot import Dovecot


def large(number: int) -> bytes:
    """Return a report whose last part is long."""
    return ndr(number=number).replace(b"\r\n--b--", b"\r\n" + b"x" * 70 * (LARGE // 70) + b"\r\n--b--")


def mailbox(home: Home) -> MaildirSource:
    return MaildirSource(home.folder / "mailbox", filed_folder="Filed", quarantine_folder="Quarantine")


def look(context: Context, source: MaildirSource) -> tuple[int, bool]:
    """Read for as short as possible; return the bounces, and whether to look again at once."""
    result = CycleResult()
    is_partial = look_at(context, source, result, portion=0.0)
    return result.bounces, is_partial


def test_a_small_message_goes_before_large_ones_that_came_earlier(home: Home) -> None:
    for number in range(1, 5):
        home.deliver(large(number), str(number))
    source = mailbox(home)
    assert look(home.context, source) == (1, True)
    home.deliver(ndr(number=5), "5")
    assert look(home.context, source) == (2, True)  # the small one, and the next large one
    assert look(home.context, source) == (1, True)
    assert look(home.context, source) == (1, False)
    assert home.waiting() == []


def test_without_a_portion_all_are_read(home: Home) -> None:
    for number in range(1, 4):
        home.deliver(large(number), str(number))
    assert home.look().bounces == 3


@pytest.mark.servers
def test_a_death_before_the_last_large_message_loses_none(home: Home, dovecot: Dovecot) -> None:
    dovecot.append([*(large(number) for number in (1, 2, 3)), ndr(number=4)])
    context, found = home.context, 0
    for is_new_process in (True, False, True, False):
        context = replace(home.context, large={}, walks={}) if is_new_process else context
        with opened(dovecot) as source:
            result = CycleResult()
            look_at(context, source, result, portion=0.0)
            found += result.bounces
    assert found == 4
    with opened(dovecot) as source:
        assert not look_at(context, source, CycleResult(), portion=0.0)
    assert len(dovecot.contents(folder="Bounces/Filed")) == 4
    cursor = home.context.store.mailboxes.cursor(source.name)
    assert cursor is not None
    assert cursor.uid == "4"


def test_a_queue_of_hostile_messages_delays_a_good_one_by_a_few_seconds(home: Home) -> None:
    """Twelve of them, at two megabytes each, kept a good one waiting for minutes."""
    for number in range(12):
        home.deliver(WORDY, str(number))
    home.deliver(ndr(), "99")
    began = time.monotonic()
    bounces, is_partial = look(home.context, mailbox(home))
    assert (bounces, is_partial) == (1, True)
    assert time.monotonic() - began < 5
