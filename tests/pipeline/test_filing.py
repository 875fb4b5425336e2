"""A folder that is full or refused: reading goes on, messages stay, and the admins know it."""

from datetime import timedelta
from pathlib import Path

import pytest

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline import CycleResult, run_cycle
from bounce_watch.pipeline.filing import MAX_FAULTS, RETRY_AFTER
from bounce_watch.pipeline.health import Level, judge_health
from bounce_watch.pipeline.incidents.mailbox_outage import note_poll
from bounce_watch.source.interface import Refused, Unreachable
from bounce_watch.source.local.maildir import MaildirSource
from bounce_watch.store import MessageState
from tests.pipeline.conftest import Home, ndr

FULL = Unreachable("the mailbox is full: [OVERQUOTA]", "make room in it")


class FullMailbox(MaildirSource):
    """A Maildir whose folders take nothing while `fault` is set, except what is not in `only`."""

    fault: Exception | None = FULL

    def __init__(self, path: Path, only: frozenset[str] | None = None) -> None:
        super().__init__(path, filed_folder="Filed", quarantine_folder="Quarantine")
        self.asked: list[int] = []
        self._only = only

    def file(self, *locations: MessageLocation) -> None:
        self.asked.append(len(locations))
        self._check(*locations)
        super().file(*locations)

    def quarantine(self, *locations: MessageLocation) -> None:
        self._check(*locations)
        super().quarantine(*locations)

    def _check(self, *locations: MessageLocation) -> None:
        names = {location.uid for location in locations}
        if self.fault is not None and (self._only is None or self._only & names):
            raise self.fault


@pytest.fixture
def mailbox(home: Home) -> FullMailbox:
    return FullMailbox(home.folder / "mailbox")


def look(home: Home, source: FullMailbox) -> CycleResult:
    """Run a cycle as the service does."""
    result = run_cycle(home.context, source, None)
    note_poll(home.context, source.name, "europe")
    return result


def states(home: Home, source: FullMailbox, *names: str) -> list[MessageState]:
    found = home.context.store.messages.states_at(source.name, 0, names)
    return [found[name] for name in names]


@pytest.mark.parametrize("fault", [FULL, Refused("the account lacks a right"), OSError(28, "No space left")])
def test_new_mail_is_read_while_the_folder_takes_nothing(
    home: Home, mailbox: FullMailbox, fault: Exception
) -> None:
    mailbox.fault = fault
    for number in (1, 2, 3):
        home.deliver(ndr(number=number), str(number))
        result = look(home, mailbox)
        assert (result.messages, result.bounces) == (1, 1)
    assert len(home.waiting()) == 3
    assert states(home, mailbox, "1", "2", "3") == [MessageState.STORED] * 3
    assert look(home, mailbox).messages == 0


def test_what_stayed_is_moved_when_there_is_room_again(home: Home, mailbox: FullMailbox) -> None:
    for number in (1, 2):
        home.deliver(ndr(number=number), str(number))
        look(home, mailbox)
    mailbox.fault = None
    home.clock.now += RETRY_AFTER
    assert look(home, mailbox).messages == 0
    assert (home.waiting(), len(home.filed())) == ([], 2)
    assert states(home, mailbox, "1", "2") == [MessageState.FILED] * 2


def test_a_full_folder_is_not_asked_at_every_poll(home: Home, mailbox: FullMailbox) -> None:
    home.deliver(ndr(), "1")
    look(home, mailbox)
    mailbox.asked.clear()
    for _ in range(5):
        look(home, mailbox)
    assert mailbox.asked == []
    home.clock.now -= timedelta(days=365)  # a clock that jumps back does not stop filing for a year
    look(home, mailbox)
    assert mailbox.asked == [1]


def test_an_unreadable_message_that_cannot_be_moved_is_tried_again(home: Home, mailbox: FullMailbox) -> None:
    home.deliver(b"", "1")
    assert look(home, mailbox).quarantined == 1
    assert len(home.waiting()) == 1
    mailbox.fault = None
    home.clock.now += RETRY_AFTER
    look(home, mailbox)
    assert home.waiting() == []


def test_one_message_that_cannot_be_moved_blocks_no_other(home: Home) -> None:
    for number in range(1, 8):
        home.deliver(ndr(number=number), str(number))
    source = FullMailbox(home.folder / "mailbox", only=frozenset({"4"}))
    look(home, source)
    assert [path.name for path in home.waiting()] == ["4"]
    home.clock.now += RETRY_AFTER
    look(home, source)
    assert states(home, source, "4", "5") == [MessageState.STORED, MessageState.FILED]


def test_a_full_folder_is_not_asked_for_every_message(home: Home, mailbox: FullMailbox) -> None:
    for number in range(20):
        home.deliver(ndr(number=number), str(number))
    look(home, mailbox)
    assert mailbox.asked == [20] + [1] * MAX_FAULTS


def test_a_server_that_asks_for_a_longer_pause_gets_it(home: Home, mailbox: FullMailbox) -> None:
    """It was asked for each message by itself at once, and again after five minutes."""
    mailbox.fault = Unreachable("throttled", retry_after=1200)
    for number in (1, 2):
        home.deliver(ndr(number=number), str(number))
    with pytest.raises(Unreachable, match="throttled"):
        look(home, mailbox)
    assert mailbox.asked == [2]
    home.clock.now += timedelta(minutes=19)
    home.deliver(ndr(number=3), "3")
    assert look(home, mailbox).messages == 1
    assert mailbox.asked == [2]
    mailbox.fault = None
    home.clock.now += timedelta(minutes=1)
    look(home, mailbox)
    assert (home.waiting(), len(home.filed())) == ([], 3)


def test_the_admins_are_told_after_an_hour_and_when_it_is_over(home: Home, mailbox: FullMailbox) -> None:
    for minutes in (0, 30, 31):
        home.clock.now += timedelta(minutes=minutes)
        home.deliver(ndr(number=minutes), str(minutes))
        look(home, mailbox)
    mailbox.fault = None
    home.clock.now += RETRY_AFTER
    look(home, mailbox)
    mails = [entry.subject for entry in reversed(home.context.store.outbox.list())]
    assert [subject for subject in mails if "europe" in subject] == [
        "The bounce mailbox europe cannot be filed",
        "[Resolved] The bounce mailbox europe is filed again",
    ]


def test_status_names_what_stays_and_that_the_mailbox_is_read(home: Home, mailbox: FullMailbox) -> None:
    home.deliver(ndr(), "1")
    look(home, mailbox)
    sources = {"europe": mailbox.name}
    lines = judge_health(home.context.store, home.config, home.clock.now, sources=sources, workers=None)
    levels = {line.name: line.level for line in lines}
    assert (levels["mailbox europe"], levels["filing europe"]) == (Level.OK, Level.WARNING)
