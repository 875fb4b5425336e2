"""One message's fault stops no walk, and no message is ever taken for another one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.source import Unreachable
from bounce_watch.source.imap.source import ImapSource
from tests.servers.scripted_imap import Script, ScriptedImap
from tests.source.odd_mailbox import OddMailbox, one

Open = Callable[[Script], ImapSource]
NO = b"@ NO the message is damaged\r\n"


@pytest.fixture
def open_imap() -> Iterator[Open]:
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


def read(source: ImapSource) -> list[str]:
    """Return the UIDs of one walk, whose contents must be their own."""
    found = [(message.location.uid, message.raw) for message in source.messages()]
    assert all(raw == f"mail {uid:>2}".encode() for uid, raw in found)
    return [uid for uid, _ in found]


def content(number: int, uid: int, mail: int) -> bytes:
    return f"* {number} FETCH (UID {uid} BODY[]<0> {{7}}\r\nmail {mail:2})\r\n".encode()


FLAGS_2 = b"FETCH (FLAGS (\\Seen) UID 2)\r\n"
OTHERS = content(1, 1, 1) + content(3, 3, 3)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            content(1, 1, 1) + b"* 1 EXPUNGE\r\n* 1 " + FLAGS_2 + content(3, 3, 3), id="renumbered behind it"
        ),
        pytest.param(
            content(1, 1, 1) + b"* 2 " + FLAGS_2 + b"* 2 EXPUNGE\r\n" + content(2, 3, 3), id="renumbered"
        ),
        pytest.param(OTHERS + b"* 2 FETCH (BODY[]<0> {7}\r\nmail  1)\r\n* 2 " + FLAGS_2, id="without UID"),
        pytest.param(OTHERS + content(2, 2, 1) + content(2, 2, 2), id="two contents of one message"),
    ],
)
def test_a_content_belongs_to_the_uid_in_its_own_answer(open_imap: Open, answer: bytes) -> None:
    """Joined by sequence number, message 2 got the content of another and was filed unread."""

    def odd(uids: list[int], items: str) -> bytes | None:
        return answer + b"@ OK done\r\n" if "BODY" in items and len(uids) == 3 else None

    with open_imap(OddMailbox(3, odd).script()) as source:
        assert read(source) == ["1", "2", "3"]
        assert not source.skipped


@pytest.mark.parametrize("answer", [NO, b"@ BAD [CLIENTBUG] Invalid FETCH item\r\n"])
def test_a_server_without_parts_of_messages_is_asked_for_whole_ones(open_imap: Open, answer: bytes) -> None:
    script = OddMailbox(3, lambda _, items: answer if "<0." in items else None).script()
    with open_imap(script) as source:
        assert read(source) == ["1", "2", "3"]
        assert not source.skipped


def test_what_the_server_said_of_messages_before_is_no_answer(open_imap: Open) -> None:
    """While we move, others set flags and expunge; imaplib keeps all of it for the next FETCH."""
    script = OddMailbox(2, lambda *_: None).script(**{"UID MOVE": content(2, 1, 2) + b"@ OK moved\r\n"})
    with open_imap(script) as source:
        source.file(MessageLocation(mailbox=source.name, validity=7, uid="9"))
        assert read(source) == ["1", "2"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="hangs up"),
        pytest.param(NO, id="rejects it"),
        pytest.param(b"@ BAD internal error\r\n", id="BAD"),
        pytest.param(b"@ NO [SERVERBUG] Internal error occurred\r\n", id="server bug"),
        pytest.param(b"* BYE I crashed\r\n", id="crashes"),
        pytest.param(b"* 3 FETCH (UID 3 BODY[]<0> {7}\r\nmail  3)\r\n extra)\r\n@ OK done\r\n", id="no IMAP"),
        pytest.param(b"* 3 FETCH (UID 3)\r\n@ OK done\r\n", id="no content"),
        pytest.param(b"* 3 FETCH (UID 3 BODY[]<0> NIL)\r\n@ OK done\r\n", id="NIL"),
        pytest.param(b"* 3 FETCH (UID 3 BODY[]<0> {0}\r\n)\r\n@ OK done\r\n", id="empty"),
        pytest.param(b'* 3 FETCH (UID 3 BODY[]<0> "")\r\n@ OK done\r\n', id="empty string"),
    ],
)
def test_a_message_that_cannot_be_fetched_is_told_and_passed_by(open_imap: Open, answer: bytes) -> None:
    """The connection or the batch failed, and with it every message behind that one, in every walk."""

    def odd(uids: list[int], items: str) -> bytes | None:
        return answer if "BODY" in items and 3 in uids else None

    mailbox = OddMailbox(7, odd)
    with open_imap(mailbox.script()) as source:
        for _ in range(2):
            assert read(source) == ["1", "2", "4", "5", "6", "7"]
            ((place, why),) = source.skipped
            assert place == "UID 3"
            assert why
            assert source.reached is not None
            assert source.reached.uid == "2", "the next poll asks again"
        mailbox.odd = lambda *_: None
        assert read(source) == ["1", "2", "3", "4", "5", "6", "7"]
        assert not source.skipped


def test_a_message_that_failed_often_is_asked_for_again_only_after_a_while(open_imap: Open) -> None:
    """Each attempt may cost a connection, and Exchange Online limits sign-ins."""
    script = OddMailbox(3, lambda uids, items: b"" if "BODY" in items and 2 in uids else None).script()
    with open_imap(script) as source:
        for _ in range(3):
            assert read(source) == ["1", "3"]
        before = script.connections
        assert read(source) == ["1", "3"]
        assert script.connections == before
        assert source.skipped, "it is still told"
        assert source.reached is not None
        assert source.reached.uid == "3"


def test_a_message_that_others_removed_meanwhile_is_no_fault(open_imap: Open) -> None:
    mailbox = OddMailbox(3, lambda *_: None)

    def odd(uids: list[int], items: str) -> bytes | None:
        if "BODY" in items and 2 in uids:
            mailbox.uids = [1, 3]
            return one(1, items) + one(3, items) + b"@ OK done\r\n"
        return None

    mailbox.odd = odd
    with open_imap(mailbox.script()) as source:
        assert read(source) == ["1", "3"]
        assert not source.skipped


@pytest.mark.parametrize("answer", [NO, b""], ids=["rejects", "hangs up"])
def test_a_message_that_cannot_be_listed_hides_no_other(open_imap: Open, answer: bytes) -> None:
    """Dovecot hangs up where a cached size is wrong, and others say NO."""

    def odd(uids: list[int], items: str) -> bytes | None:
        return answer if "RFC822.SIZE" in items and 3 in uids else None

    with open_imap(OddMailbox(5, odd).script()) as source:
        assert read(source) == ["1", "2", "3", "4", "5"]


def test_a_server_that_hangs_up_at_every_message_is_the_fault(open_imap: Open) -> None:
    """Then nothing is said against the messages, and an admin hears that the server cannot be used."""
    script = OddMailbox(30, lambda _, items: b"" if "BODY" in items else None).script()
    with open_imap(script) as source, pytest.raises(Unreachable):
        read(source)
    assert script.connections < 12


@pytest.mark.parametrize("word", ["NO", "BAD", "BYE"])
@pytest.mark.parametrize("command", ["SELECT", "UID FETCH", "UID MOVE"])
def test_a_time_to_wait_is_obeyed_after_every_command(open_imap: Open, command: str, word: str) -> None:
    """Connecting again at once makes it worse. It was looked for in some answers only."""
    said = b"Request is throttled. Suggested Backoff Time: 299961 milliseconds\r\n"
    answer = (b"* BYE " if word == "BYE" else f"@ {word} ".encode()) + said
    script = OddMailbox(3, lambda *_: None).script(**{command: answer})
    source = open_imap(script)
    with pytest.raises(Unreachable, match="300 seconds") as caught, source:
        source.file(*[message.location for message in source.messages()])
    assert caught.value.retry_after == pytest.approx(299.961)
    assert script.connections == 1


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("[LIMIT] try again in 2 minutes", 120.0),
        ("please wait 30 seconds", 30.0),
        ("[UNAVAILABLE] retry after 5s", 5.0),
        ("[OVERQUOTA] Account exceeded command or bandwidth limits.", None),
        ("[THROTTLED] slow down", None),
        ("[UNAVAILABLE] Server error - Please try again later", None),
    ],
)
def test_a_busy_server_is_not_taken_for_a_full_mailbox(
    open_imap: Open, words: str, seconds: float | None
) -> None:
    script = OddMailbox(3, lambda *_: f"@ NO {words}\r\n".encode()).script()
    with open_imap(script) as source, pytest.raises(Unreachable) as caught:
        read(source)
    assert caught.value.retry_after == seconds
    assert "full" not in str(caught.value)
    assert script.connections == 1


def test_an_empty_folder_without_uidnext_is_no_fault(open_imap: Open) -> None:
    """There is no last message to ask for, and some servers say BAD then."""
    script = Script(
        answers={
            "SELECT": b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n@ OK [READ-WRITE] selected\r\n",
            "UID FETCH": b"@ BAD the specified message set is invalid\r\n",
        }
    )
    with open_imap(script) as source:
        assert read(source) == []


def test_a_server_that_rejects_every_message_is_the_fault(open_imap: Open) -> None:
    """It is not asked for each of a million messages."""
    script = OddMailbox(300, lambda _, items: NO if "BODY" in items else None).script()
    with open_imap(script) as source, pytest.raises(Unreachable, match="damaged"):
        read(source)
    assert len(script.heard) < 80


def test_a_message_that_failed_and_is_gone_holds_no_later_poll_back(open_imap: Open) -> None:
    """Somebody moved it away meanwhile, so it is never asked for again."""
    mailbox = OddMailbox(3, lambda uids, items: NO if "BODY" in items and 2 in uids else None)
    with open_imap(mailbox.script()) as source:
        assert read(source) == ["1", "3"]
        mailbox.uids = [1, 3]
        assert read(source) == ["1", "3"]
        assert source.reached is not None
        assert source.reached.uid == "3"
        assert not source.skipped


def test_few_messages_at_the_end_of_all_uids_cost_few_commands(open_imap: Open) -> None:
    """Each walk took 65,000 commands."""
    mailbox = OddMailbox(2, lambda *_: None)
    mailbox.uids = [7, 70_000, 70_600, 2**31, 2**31 + 1, 2**32 - 2]
    script = mailbox.script()
    with open_imap(script) as source:
        assert [message.location.uid for message in source.messages()] == [str(uid) for uid in mailbox.uids]
        assert source.reached is not None
        assert source.reached.uid == str(2**32 - 2)
    assert sum("FETCH" in line for line in script.heard) < 8 * len(mailbox.uids)


def test_a_uidnext_that_went_back_hides_no_new_message(open_imap: Open) -> None:
    """GMX did so without another UIDVALIDITY: what came then was read a day later."""
    with open_imap(OddMailbox(3, lambda *_: None).script()) as source:
        after = MessageLocation(mailbox=source.name, validity=7, uid="5000")
        assert [message.location.uid for message in source.messages(after=after)] == ["1", "2", "3"]


MULTIPART = (
    b'From: a@contoso.example\r\nContent-Type: multipart/report;\r\n boundary="cut"\r\n\r\n--cut\r\n\r\n'
)


@pytest.mark.parametrize(
    ("content", "size", "is_read"),
    [
        pytest.param(MULTIPART + b"hello\r\n", 5000, False, id="cut"),
        pytest.param(MULTIPART[:70], 5000, False, id="cut in the header"),
        pytest.param(MULTIPART + b"hello\r\n--cut--\r\n", 5000, True, id="an estimate"),
        pytest.param(MULTIPART + b"hello\r\n", 50, True, id="came without an end"),
    ],
)
def test_a_message_that_is_cut_on_its_way_is_not_taken_as_read(
    open_imap: Open, content: bytes, size: int, is_read: bool
) -> None:
    """It was filed with half of its report; sizes alone prove nothing, Exchange estimates them."""

    def odd(uids: list[int], items: str) -> bytes | None:
        lines = [
            b"* 2 FETCH (UID 2 BODY[]<0> {%d}\r\n%s)\r\n" % (len(content), content)
            if uid == 2 and "BODY" in items
            else one(uid, items).replace(b"SIZE 7", b"SIZE %d" % (size if uid == 2 else 7))
            for uid in uids
        ]
        return b"".join(lines) + b"@ OK done\r\n"

    with open_imap(OddMailbox(3, odd).script()) as source:
        found = [message.location.uid for message in source.messages()]
        assert found == (["1", "2", "3"] if is_read else ["1", "3"])
        assert bool(source.skipped) is not is_read


@pytest.mark.parametrize("announced", [5, 8, 9, 30])
def test_a_literal_of_another_length_costs_no_other_message(open_imap: Open, announced: int) -> None:
    """`mail  2` has 7 bytes."""

    def odd(uids: list[int], items: str) -> bytes | None:
        if 2 not in uids or "BODY" not in items:
            return None
        answer = b"* 2 FETCH (UID 2 BODY[]<0> {%d}\r\nmail ab cd)\r\n" % announced
        return b"".join(answer if uid == 2 else one(uid, items) for uid in uids) + b"@ OK done\r\n"

    source = open_imap(OddMailbox(3, odd).script())
    source.settings = source.settings.model_copy(update={"timeout_seconds": 0.3})
    with source:
        assert [message.raw for message in source.messages() if message.location.uid != "2"] == [
            b"mail  1", b"mail  3",
        ]  # fmt: skip
        assert not [message for message in source.messages() if message.location.uid == "2"]


@pytest.mark.parametrize("change", [1, -1])
def test_a_stale_uidnext_hides_no_message_that_came(open_imap: Open, change: int) -> None:
    mailbox = OddMailbox(1, lambda *_: None)
    mailbox.uids = [10, 20, 30]
    counts = iter([3, 3 + change])
    stale = "* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 31] ok\r\n@ OK selected\r\n"
    script = mailbox.script(SELECT=lambda _: f"* {next(counts)} EXISTS\r\n{stale}".encode())
    with open_imap(script) as source:
        mailbox.uids = [10, 20, 30, 40] if change > 0 else [30, 40]
        assert [message.location.uid for message in source.messages()][-2:] == ["30", "40"]


def test_a_message_that_was_announced_is_looked_for_above_a_stale_uidnext(open_imap: Open) -> None:
    """The wait ended at once, each time, and nothing was read."""
    mailbox = OddMailbox(3, lambda *_: None)
    script = mailbox.script(SELECT=mailbox.opened())
    with open_imap(script) as source:
        mailbox.uids.append(4)
        assert source.wait(1)
        assert [message.location.uid for message in source.messages()][-1] == "4"


def test_a_server_that_refuses_every_listing_is_searched(open_imap: Open) -> None:
    def odd(_: list[int], items: str) -> bytes | None:
        return None if "BODY" in items else b"@ NO internal\r\n"

    answer = b"* SEARCH 1 2 3\r\n@ OK done\r\n"
    with open_imap(OddMailbox(3, odd).script(**{"UID SEARCH": answer})) as source:
        assert [message.location.uid for message in source.messages()] == ["1", "2", "3"]
