"""The service reads untrusted bytes in another process only; what happens there harms nothing else."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bounce_watch.model import Kind, Unreadable
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.parse import read
from bounce_watch.pipeline.ingest.message import ingest_messages
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.outcome import Limits, ReaderUnavailable
from bounce_watch.sandbox.reader import InProcess, IsolatedReader
from bounce_watch.source.interface import Message
from tests.pipeline.conftest import Home, ndr
from tests.sandbox.mutator import mutations
from tests.sandbox.test_reader import WORDY, process_of

HEAVY = b"From: a@b.example\r\n\r\n" + b"x" * 2_000_000


class Held(IsolatedReader):
    """A reader whose process stands still for large messages, as for one that never ends."""

    def ask(self, letters: Sequence[ReadRequest]) -> list[Any]:
        if any(len(letter.raw) > 1_000_000 for letter in letters):
            os.kill(process_of(self), signal.SIGSTOP)
        return super().ask(letters)


def with_reader(home: Home, reader: IsolatedReader) -> Home:
    return replace(home, context=replace(home.context, reader=reader))


def test_mail_is_read_in_another_process_unless_told_otherwise(open_home: Callable[..., Home]) -> None:
    assert isinstance(open_home().context.reader, IsolatedReader)
    plain = open_home(("[digest]", "[run]\nisolate = false\n[digest]"))
    assert isinstance(plain.context.reader, InProcess)
    plain.deliver(ndr(), "1.a")
    assert plain.look().bounces == 1


@pytest.mark.slow
def test_a_message_that_takes_too_long_stops_no_other_and_is_quarantined_at_the_third_time(
    home: Home,
) -> None:
    """The bytes in quarantine are the bytes that came in. A busy machine makes further attempts."""
    home = with_reader(home, IsolatedReader(limits=Limits(wall_seconds=0.1)))
    home.deliver(WORDY, "1.a")
    home.deliver(ndr(), "2.b")
    looks = 0
    while not home.context.store.quarantine.list():
        home.look()
        looks += 1
        assert looks < 60
    (entry,) = home.context.store.quarantine.list()
    assert looks >= entry.attempts == 3
    assert home.context.store.quarantine.show(entry.id)[1] == WORDY
    assert "seconds" in entry.reason
    while home.waiting():
        home.look()
    home.context.close()


@pytest.mark.slow
def test_a_machine_without_processor_time_quarantines_nothing(home: Home) -> None:
    """It counted as the message's fault: three busy minutes put sound reports away."""
    home = with_reader(home, Held(limits=Limits(wall_seconds=0.3)))
    home.deliver(HEAVY, "1.a")
    home.deliver(ndr(), "2.b")
    for look in range(5):
        result = home.look()
        assert (result.bounces, result.quarantined) == (look == 0, 0)
    home = with_reader(home, IsolatedReader())  # the machine is free again
    assert home.look().left == 1
    home.context.close()


@pytest.mark.slow
def test_what_is_quarantined_is_kept_byte_for_byte(home: Home) -> None:
    """Damaged beyond reading, with every kind of line end, NUL and 8-bit byte in it."""
    unreadable = [
        raw
        for raw in dict.fromkeys(mutations([ndr(), ndr(number=2)], 2000, seed=7))
        if isinstance(read(raw)[0], Unreadable)
    ]
    assert len(unreadable) > 30
    assert any(b"\x00" in raw for raw in unreadable)
    for number, raw in enumerate(unreadable):
        home.deliver(raw, f"{number}.a")
    assert home.look().quarantined == len(unreadable)
    kept = [home.context.store.quarantine.show(entry.id)[1] for entry in home.context.store.quarantine.list()]
    assert sorted(kept) == sorted(unreadable)
    home.context.close()


def test_a_reader_that_cannot_be_started_counts_for_no_message(home: Home) -> None:
    home.deliver(ndr(), "1.a")
    broken = with_reader(home, IsolatedReader(limits=Limits(start_seconds=0.001)))
    for _ in range(4):
        with pytest.raises(ReaderUnavailable):
            broken.look()
    assert home.context.store.quarantine.list() == ()
    result = home.look()
    assert (result.bounces, result.kinds) == (1, {Kind.FAILURE: 1})
    assert next(iter(home.context.store.history.find())).bounce.status == "5.1.10"
    home.context.close()


def test_a_requeue_that_fails_halfway_leaves_the_message_in_quarantine(home: Home) -> None:
    home.deliver(b"", "1.a")
    home.look()
    (entry,) = home.context.store.quarantine.list()
    place = MessageLocation(mailbox=entry.mailbox, validity=entry.validity, uid=entry.uid)
    message = Message(location=place, raw=b"", size=0, received_at=None)
    with pytest.raises(IndexError):
        ingest_messages(home.context, [(message, ())], first=lambda tx: tx.quarantine.requeue(entry.id))
    assert [one.id for one in home.context.store.quarantine.list()] == [entry.id]
