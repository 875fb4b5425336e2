"""What odd, busy and hostile IMAP servers do, said by a scripted server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source import Refused, SourceError, Unreachable
from bounce_watch.source.imap.errors import CommandRejected
from bounce_watch.source.imap.source import ImapSource
from bounce_watch.source.interface import SessionEnded
from tests.servers.scripted_imap import DRIP, GREETING, SELECTED, Answer, Script, ScriptedImap

LISTED = b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n* 2 FETCH (UID 2 RFC822.SIZE 5)\r\n@ OK done\r\n"
Open = Callable[[Script], ImapSource]


@pytest.fixture
def open_imap() -> Iterator[Open]:
    """Return a function that makes a source for a script."""
    with ExitStack() as stack:

        def start(script: Script) -> ImapSource:
            server = stack.enter_context(ScriptedImap(script))
            settings = ImapSettings(
                host="127.0.0.1",
                port=server.port,
                security="none",
                user="bounces@contoso.example",
                timeout_seconds=5,
            )
            return ImapSource(settings, lambda: "pa55word")

        yield start


@pytest.mark.parametrize(
    ("capabilities", "answers", "fault", "repair"),
    [
        pytest.param(
            "IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED",
            {},
            Refused,
            "xoauth2",
            id="no passwords on Exchange Online",
        ),
        pytest.param(
            "IMAP4rev1",
            {"LOGIN": b"@ NO [AUTHENTICATIONFAILED] no\r\n"},
            Refused,
            "check user and password",
            id="wrong password",
        ),
        pytest.param(
            "IMAP4rev1",
            {"SELECT": b"@ BAD User is authenticated but not connected.\r\n"},
            Refused,
            "ENTERPRISE APPLICATION",
            id="no access to the mailbox",
        ),
        pytest.param(
            "IMAP4rev1",
            {"SELECT": b"@ BAD Request is throttled. Suggested Backoff Time: 4000 milliseconds\r\n"},
            Unreachable,
            "by ourselves",
            id="throttled",
        ),
        pytest.param(
            "IMAP4rev1",
            {"LOGIN": b"@ NO [UNAVAILABLE] later\r\n"},
            Unreachable,
            "by ourselves",
            id="unavailable",
        ),
        pytest.param(
            "IMAP4rev1",
            {"LOGIN": b"* BYE overloaded\r\n"},
            Unreachable,
            "by ourselves",
            id="goodbye at sign-in",
        ),
        pytest.param(
            "IMAP4rev1",
            {"LOGIN": b"@ NO what is pa55word\x1b[2J supposed to be\r\n"},
            Refused,
            "check user",
            id="an answer that repeats the password",
        ),
    ],
)
def test_each_refusal_is_told_apart_and_shows_no_secret(
    open_imap: Open,
    capabilities: str,
    answers: dict[str, Answer],
    fault: type[SourceError],
    repair: str,
) -> None:
    """A person repairs a Refused, time repairs an Unreachable."""
    source = open_imap(Script(capabilities=capabilities, answers=answers))
    with pytest.raises(fault) as caught, source:
        pass
    assert repair in caught.value.repair
    assert "pa55word" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert "\x1b" not in str(caught.value)


def test_a_missing_permission_comes_with_the_commands_that_grant_it(open_imap: Open) -> None:
    """Quoted, with this site's mailbox in them; what we cannot know stays for the admin to fill in."""
    refusal = b"@ BAD User is authenticated but not connected.\r\n"
    source = open_imap(Script(answers={"SELECT": refusal, "EXAMINE": refusal}))
    with pytest.raises(Refused) as caught, source:
        pass
    grant = (
        "Add-MailboxPermission -Identity 'bounces@contoso.example' "
        "-User <enterprise_application_object_id> -AccessRights FullAccess"
    )
    assert grant in caught.value.commands
    (failure,) = [check for check in source.diagnose() if check.state == "failure"]
    assert grant in failure.commands


ENDED = b"* BYE Session invalidated - AccessTokenExpired\r\n"
OPENED = SELECTED + b"@ OK done\r\n"
BOTH = (
    b"* 1 FETCH (UID 1 RFC822.SIZE 5 BODY[]<0> {5}\r\nhello)\r\n"
    b"* 2 FETCH (UID 2 RFC822.SIZE 5 BODY[]<0> {5}\r\nworld)\r\n@ OK done\r\n"
)


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({"SELECT": [OPENED, ENDED, OPENED]}, id="opening"),
        pytest.param({"UID FETCH": [ENDED, BOTH]}, id="listing"),
        pytest.param({"UID FETCH": [LISTED, ENDED, BOTH]}, id="reading"),
    ],
)
def test_a_session_that_the_server_ends_is_opened_anew_in_silence(
    open_imap: Open, answers: dict[str, Answer]
) -> None:
    """Exchange Online does so once an hour, when the token expires."""
    script = Script(answers={"UID FETCH": BOTH, **answers})
    with open_imap(script) as source:
        assert {message.raw for message in source.messages()} == {b"hello", b"world"}
    assert sum(line.startswith("LOGIN") for line in script.heard) == 2


RECORD = b"\x16\x03\x03\x40\x00"
"""Announces 16 KB of a TLS handshake."""


@pytest.mark.parametrize(
    ("security", "greeting", "answers"),
    [
        pytest.param("none", DRIP, {}, id="greeting"),
        pytest.param("none", GREETING, {"CAPABILITY": b"* CAPABILITY IMAP4rev1 " + DRIP}, id="capabilities"),
        pytest.param("starttls", GREETING, {"STARTTLS": b"* OK " + DRIP}, id="answer to STARTTLS"),
        pytest.param("tls", RECORD + DRIP, {}, id="handshake"),
    ],
)
def test_words_before_tls_that_come_byte_by_byte_do_not_hold_us_for_ever(
    open_imap: Open, security: str, greeting: bytes, answers: dict[str, Answer]
) -> None:
    """No read of a plain socket ever times out then; it passes by itself."""
    source = open_imap(Script(capabilities="IMAP4rev1 STARTTLS", greeting=greeting, answers=answers))
    source.settings = source.settings.model_copy(update={"security": security, "timeout_seconds": 0.1})
    with pytest.raises(Unreachable, match="does not answer in time"), source:
        pass


@pytest.mark.parametrize("command", ["CAPABILITY", "LOGIN", "SELECT", "UID FETCH"])
def test_a_line_without_an_end_is_a_lost_connection(open_imap: Open, command: str) -> None:
    """It isn't a refusal, so no admin is asked to fix anything."""
    endless = b"* OK " + b"x" * 1_100_000 + b"\r\n@ OK done\r\n"
    with pytest.raises(Unreachable) as caught, open_imap(Script(answers={command: endless})) as source:
        list(source.messages())
    assert not isinstance(caught.value, CommandRejected)
    assert "by ourselves" in caught.value.repair


def test_a_session_that_ends_during_the_sign_in_is_worth_another_try(open_imap: Open) -> None:
    """It is no fault that an admin must fix."""
    script = Script(answers={"LOGIN": ENDED})
    with pytest.raises(SessionEnded) as caught, open_imap(script):
        pass
    assert "by ourselves" in caught.value.repair


def test_a_password_outside_ascii_is_sent_in_utf8_where_there_is_only_login(open_imap: Open) -> None:
    """A literal may hold it (RFC 3501); imaplib refuses to send it."""
    script = Script(answers={"LOGIN": b"+ go on\r\n"})
    settings = open_imap(script).settings
    with ImapSource(settings, lambda: "grün"):
        at = script.heard.index('LOGIN "bounces@contoso.example" {5}')
        assert script.heard[at + 1] == "grün"


def test_a_password_that_is_no_text_is_refused(open_imap: Open) -> None:
    settings = open_imap(Script()).settings
    with pytest.raises(Refused, match="outside ASCII"), ImapSource(settings, lambda: "gr\udcfcn"):
        pass


def test_a_user_name_with_backslashes_and_quotes_is_one_word(open_imap: Open) -> None:
    """Exchange on premises takes domain, user and shared mailbox in one."""
    script = Script()
    settings = open_imap(script).settings.model_copy(update={"user": 'CONTOSO\\svc x\\"all"'})
    with ImapSource(settings, lambda: "pa55word"):
        assert 'LOGIN "CONTOSO\\\\svc x\\\\\\"all\\"" "pa55word"' in script.heard


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        pytest.param(
            b"* 1 FETCH (UID 1 BODY[]<0> {5}\r\nfirst)\r\n", {"1": b"first"}, id="second message vanished"
        ),
        pytest.param(b"* 1 FETCH (BODY[]<0> {5}\r\nwrong)\r\n", {}, id="no UID in the answer"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[]<0> NIL)\r\n", {}, id="no content"),
        pytest.param(b"* 9 FETCH (UID 9 BODY[]<0> {5}\r\nother)\r\n", {}, id="another message's content"),
        pytest.param(b"", {}, id="nothing at all"),
        pytest.param(
            b"* 2 FETCH (UID 2 BODY[]<0> {4}\r\ntwo!)\r\n* 1 FETCH (FLAGS (\\Seen))\r\n",
            {"2": b"two!"},
            id="flags of another message between",
        ),
    ],
)
def test_only_content_that_names_its_message_is_taken(
    open_imap: Open, bodies: bytes, expected: dict[str, bytes]
) -> None:
    """Anything else would file one message's content under another's location."""
    script = Script(answers={"UID FETCH": [LISTED, bodies + b"@ OK done\r\n"]})
    with open_imap(script) as source:
        found = {message.location.uid: message.raw for message in source.messages()}
    assert found == expected


def test_a_message_that_comes_without_content_holds_the_next_walk_back_three_times(open_imap: Open) -> None:
    """An answer may be nonsense once; what has no content for good must not hold back for ever."""
    first = b"* 1 FETCH (UID 1 BODY[]<0> {5}\r\nfirst)\r\n@ OK done\r\n"
    there = b"* 2 FETCH (UID 2)\r\n@ OK done\r\n"
    script = Script(
        answers={"UID FETCH": [LISTED, first, there, first, there, *[LISTED, first, first, there] * 2]}
    )
    ends = []
    with open_imap(script) as source:
        for _ in range(3):
            list(source.messages())
            assert source.reached is not None
            ends.append(source.reached.uid)
            assert source.skipped == [("UID 2", "the server does not send all of it")]
    assert ends == ["1", "1", "2"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="hangs up"),
        pytest.param(b"* BYE Session invalidated - AccessTokenExpired\r\n", id="expired token"),
        pytest.param(b"* 1 FETCH (UID 1 BODY[]<0> {99999999999}\r\n", id="a literal of 93 GB"),
        pytest.param(b'* 1 FETCH (UID 1 RFC822.SIZE "\r\n@ OK done\r\n', id="a quote without end"),
        pytest.param(b"* 1 FETCH " + b"x" * 1_100_000 + b"\r\n@ OK done\r\n", id="a line of a megabyte"),
        pytest.param(b"@ NO [SERVERBUG] out of order\r\n", id="server bug"),
    ],
)
def test_a_broken_answer_ends_the_walk_as_unreachable(open_imap: Open, answer: bytes) -> None:
    """Nothing is moved or forgotten; the caller tries again with a fresh connection."""
    with open_imap(Script(answers={"UID FETCH": answer})) as source, pytest.raises(Unreachable):
        list(source.messages())


def test_a_move_that_was_declined_but_worked_is_done(open_imap: Open) -> None:
    """Exchange answers NO or nonsense to a MOVE that it carried out (MailKit#115): look before retrying."""
    script = Script(answers={"UID MOVE": b"@ NO malformed\r\n", "UID FETCH": b"@ OK nothing there\r\n"})
    with open_imap(script) as source:
        source.file(MessageLocation(mailbox=source.name, validity=7, uid="1"))
    assert sum(line.startswith("UID MOVE") for line in script.heard) == 1


def test_a_move_that_was_declined_is_told(open_imap: Open) -> None:
    """The message is still there, so the caller must not believe that it is filed."""
    no = b"@ NO not today\r\n"
    script = Script(answers={"UID MOVE": no, "UID COPY": no, "UID FETCH": LISTED})
    with open_imap(script) as source, pytest.raises(Unreachable, match="not today"):
        source.file(MessageLocation(mailbox=source.name, validity=7, uid="1"))


def test_many_messages_are_moved_with_one_command(open_imap: Open) -> None:
    """A command for each would cost a server, and us, more than all else together."""
    script = Script()
    with open_imap(script) as source:
        source.file(*(MessageLocation(mailbox=source.name, validity=7, uid=str(uid)) for uid in (3, 1, 2, 1)))
    assert [line for line in script.heard if "MOVE" in line] == ['UID MOVE 1,2,3 "Bounces/Filed"']


def test_a_message_that_cannot_be_moved_holds_back_no_other(open_imap: Open) -> None:
    """What is still there after a refusal is tried one by one, and the refusal is told at the end."""
    script = Script(
        answers={
            "UID MOVE": [b"@ NO not all\r\n", b"@ NO not this one\r\n", b"@ OK done\r\n"],
            "UID COPY": b"@ NO not this one\r\n",
            "UID FETCH": LISTED,
        }
    )
    places = [MessageLocation(mailbox="", validity=7, uid=str(uid)) for uid in (1, 2, 3)]
    with open_imap(script) as source, pytest.raises(Unreachable, match="not this one"):
        source.file(*(replace(place, mailbox=source.name) for place in places))
    moves = [line.split()[2] for line in script.heard if "MOVE" in line]
    assert moves == ["1,2,3", "1", "2"]


@pytest.mark.parametrize(
    "uid",
    ["1 (FLAGS)\r\nX DELETE INBOX", "1:*", "*", "", "²", "-1"],
    ids=["injection", "range", "all", "empty", "superscript", "negative"],
)
def test_a_locator_that_is_no_number_moves_nothing(open_imap: Open, uid: str) -> None:
    """A damaged or forged location must not become a command."""
    script = Script()
    with open_imap(script) as source:
        before = len(script.heard)
        source.file(MessageLocation(mailbox=source.name, validity=7, uid=uid))
        assert script.heard[before:] == []


def test_a_server_that_keeps_uidnext_to_itself_is_asked_for_the_last_message(open_imap: Open) -> None:
    """UIDNEXT in the answer to SELECT is optional in RFC 3501."""
    script = Script(
        answers={
            "SELECT": b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n@ OK [READ-WRITE] selected\r\n",
            "UID FETCH": b"* 2 FETCH (UID 2 RFC822.SIZE 5 BODY[]<0> {3}\r\nend)\r\n@ OK done\r\n",
        }
    )
    with open_imap(script) as source:
        assert [message.raw for message in source.messages()] == [b"end"]


def test_a_uidnext_that_cannot_be_true_is_not_believed(open_imap: Open) -> None:
    """Two messages have UIDs up to 2 at least: nothing at all was read, and nothing was said."""
    script = Script(
        answers={
            "SELECT": b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 1] ok\r\n@ OK selected\r\n",
            "UID FETCH": b"* 2 FETCH (UID 2 RFC822.SIZE 5 BODY[]<0> {3}\r\nend)\r\n@ OK done\r\n",
        }
    )
    with open_imap(script) as source:
        assert [message.raw for message in source.messages()] == [b"end"]


def test_no_search_and_no_seen_flag_is_ever_sent(open_imap: Open) -> None:
    """SEARCH ALL breaks at 125,000 messages, and people share the mailbox."""
    script = Script(answers={"UID FETCH": LISTED})
    with open_imap(script) as source:
        list(source.messages())
    fetches = [line for line in script.heard if "FETCH" in line]
    assert fetches[0] == "UID FETCH 1:2 (UID RFC822.SIZE INTERNALDATE)"
    assert fetches[1] == "UID FETCH 1,2 (UID BODY.PEEK[]<0.2097152>)"
    assert not [line for line in script.heard if "SEARCH" in line or "STORE" in line]
