"""Limits of how slowly and how much a server may answer."""

import socket
import threading
import time

import pytest

from bounce_watch.net.slow_server import LONGEST_ANSWER, within
from bounce_watch.source.imap import windows
from bounce_watch.source.interface import MAX_MESSAGE


def test_no_batch_that_is_asked_for_counts_as_endless() -> None:
    """Servers understate sizes (Exchange estimates them), so the limit lies far above what is asked for."""
    assert LONGEST_ANSWER >= 3 * windows._BATCH_BYTES + MAX_MESSAGE  # noqa: SLF001 - one limit against another


def test_words_before_tls_have_a_time_of_their_own() -> None:
    """A plain socket counts from its last byte only: what takes too long is ended from outside."""
    ours, theirs = socket.socketpair()
    hang_up = threading.Event()

    def end() -> None:
        hang_up.set()
        ours.shutdown(socket.SHUT_RDWR)

    with ours, theirs:
        began = time.monotonic()
        with within(0.05, end):
            assert ours.recv(1) == b""
        assert hang_up.is_set()
        assert time.monotonic() - began < 5


def test_what_ends_in_time_is_left_alone() -> None:
    with within(0.05, lambda: pytest.fail("it was ended")):
        pass
    time.sleep(0.1)
