"""Waiting on IMAP: IDLE with real and scripted servers, and servers without it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.source import SourceError, Unreachable
from bounce_watch.source.imap.source import ImapSource
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.servers.scripted_imap import SELECTED, Answer, Script, ScriptedImap
from tests.source import samples
from tests.source.places import imap_settings

IDLING = "IMAP4rev1 MOVE UIDPLUS IDLE"
QUIET = b"* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 2)\r\n@ OK done\r\n"


class Start(Protocol):
    def __call__(self, script: Script, timeout: float = 5) -> ImapSource: ...


@pytest.fixture
def open_imap() -> Iterator[Start]:
    """Return a function that opens a source for a script."""
    with ExitStack() as stack:

        def start(script: Script, timeout: float = 5) -> ImapSource:
            server = stack.enter_context(ScriptedImap(script))
            settings = ImapSettings(
                host="127.0.0.1",
                port=server.port,
                security="none",
                user=WATCHED,
                timeout_seconds=timeout,
            )
            return stack.enter_context(ImapSource(settings, lambda: PASSWORD))

        yield start


def script(idle: Answer, **answers: Answer) -> Script:
    return Script(capabilities=IDLING, answers={"UID FETCH": QUIET, "IDLE": idle} | answers)


def logins(script: Script) -> int:
    return sum(line.startswith("LOGIN") for line in script.heard)


@pytest.mark.parametrize(
    "idle",
    [
        pytest.param(b"+ idling\r\n* 3 EXISTS\r\n", id="glued to the line that begins it"),
        pytest.param(b"* 3 EXISTS\r\n+ idling\r\n", id="before the line that begins it"),
        pytest.param(b"+ idling\r\n* OK Still here\r\n* 3 EXISTS\r\n* 1 RECENT\r\n", id="behind other lines"),
    ],
)
def test_news_of_mail_ends_the_waiting_wherever_it_stands(open_imap: Start, idle: bytes) -> None:
    """imapclient overlooks the first and stumbles over the second."""
    source = open_imap(script(idle))
    started = time.monotonic()
    assert source.wait(60)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "idle",
    [
        pytest.param(b"+ idling\r\n", id="silence"),
        pytest.param([b"+ idling\r\n* OK Still here\r\n", b"+ idling\r\n"], id="a sign of life"),
        pytest.param([b"+ idling\r\n* 1 EXPUNGE\r\n", b"+ idling\r\n"], id="somebody moved a message away"),
        pytest.param(b"@ NO not here\r\n", id="declined at once"),
        pytest.param(b"@ BAD what is that\r\n", id="not understood"),
    ],
)
def test_what_is_no_mail_does_not_end_the_waiting(open_imap: Start, idle: Answer) -> None:
    """A server that declines IDLE is asked instead."""
    asked = script(idle)
    assert not open_imap(asked).wait(0.6)
    assert 1 <= asked.heard.count("IDLE") <= 2
    assert logins(asked) == 1


def test_news_at_the_end_of_the_idle_counts(open_imap: Start) -> None:
    """Servers hold it back until something is said."""
    source = open_imap(script(b"+ idling\r\n", DONE=b"* 3 EXISTS\r\n@ OK done\r\n"))
    assert source.wait(0.2)


def test_news_in_the_answer_to_another_command_counts(open_imap: Start) -> None:
    """It came between walk and IDLE, and is told only once."""
    asked = script(b"+ idling\r\n", **{"UID FETCH": b"* 3 EXISTS\r\n" + QUIET})
    assert open_imap(asked).wait(60)
    assert "IDLE" not in asked.heard


def test_the_last_message_is_no_news_though_an_asterisk_always_brings_it(open_imap: Start) -> None:
    """RFC 3501 section 6.4.8: `3:*` means UID 2 where that is the highest."""
    asked = script(b"+ idling\r\n")
    assert not open_imap(asked).wait(0.1)
    assert "UID FETCH 3:* (UID)" in asked.heard


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({"idle": b""}, id="hangs up"),
        pytest.param({"idle": b"+ idling\r\n* BYE Session invalidated - AccessTokenExpired\r\n"}, id="BYE"),
        pytest.param({"idle": b"+ idling\r\n", "DONE": b""}, id="hangs up at the end"),
        pytest.param({"idle": b"+ idling\r\n", "DONE": b"* OK\r\n"}, id="is frozen"),
        pytest.param({"idle": b"hello\r\n"}, id="talks nonsense"),
    ],
)
def test_a_dead_connection_is_told_and_the_next_walk_has_a_new_one(
    open_imap: Start, answers: dict[str, Answer]
) -> None:
    """imapclient's idle_check takes some of these for a quiet mailbox, for ever."""
    asked = script(**answers)
    source = open_imap(asked, timeout=0.5)
    with pytest.raises(Unreachable):
        source.wait(0.5)
    assert source.count() == 2
    assert logins(asked) == 2


def test_a_session_that_ends_after_a_while_is_no_fault(
    open_imap: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exchange Online ends one an hour: look, sign in anew, wait on."""
    monkeypatch.setattr("bounce_watch.source.imap.source._SHORT_SECONDS", 0.0)
    asked = script([b"+ idling\r\n* BYE Session invalidated - AccessTokenExpired\r\n", b"+ idling\r\n"])
    source = open_imap(asked)
    assert source.wait(60)
    assert source.count() == 2
    assert not source.wait(0.1)
    assert logins(asked) == 2


def test_how_long_a_busy_server_asks_to_wait_is_told(open_imap: Start) -> None:
    """Exchange Online throttles by the mailbox; trying sooner makes it longer."""
    busy = b"@ BAD Request is throttled. Suggested Backoff Time: 4500 milliseconds\r\n"
    asked = script(b"+ idling\r\n", SELECT=[SELECTED + b"@ OK done\r\n", busy])
    source = open_imap(asked)
    with pytest.raises(Unreachable) as caught:
        source.count()
    assert caught.value.retry_after == 4.5


@pytest.mark.servers
def test_idle_on_a_real_server_survives_its_end(dovecot: Dovecot) -> None:
    """Kicked, gone and back: the waiting tells, and the next walk finds what came meanwhile."""
    with ImapSource(imap_settings(dovecot), lambda: PASSWORD) as source:
        assert list(source.messages()) == []
        dovecot.end_sessions(WATCHED)
        with pytest.raises(SourceError):
            source.wait(30)
        assert list(source.messages()) == []
        dovecot.stop()
        with pytest.raises(Unreachable):
            source.wait(30)
        dovecot.start()
        dovecot.append([samples.REPORT])
        assert [message.raw for message in source.messages()] == [samples.REPORT]
