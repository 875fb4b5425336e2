"""A look before downloading: what is settled by the head of a mail is what all of it says."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bounce_watch.model import NotAReport
from bounce_watch.parse import read
from bounce_watch.source.imap import head_plan
from bounce_watch.source.imap.source import ImapSource
from bounce_watch.source.interface import Message
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.source import wrapping
from tests.source.places import imap_settings
from tests.source.wrapping import attachment, embedded, mixed, text

pytestmark = pytest.mark.servers

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*/*.eml"))
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
LARGEST = 1_900_000
NOTHING = re.compile("(?!)")


def on_the_wire(path: Path) -> bytes:
    return path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def put(dovecot: Dovecot, mails: Sequence[bytes]) -> None:
    """Lay mails into the watched folder, as quick as a disk."""
    inbox = dovecot.root / "mail" / "bounces"
    for part in ("cur", "new", "tmp"):
        (inbox / part).mkdir(parents=True, exist_ok=True)
    for number, mail in enumerate(mails):
        (inbox / "cur" / f"1700000000.{number:06}.host:2,").write_bytes(mail)
    dovecot.hand_over()


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with Dovecot() as one:
        yield one


@pytest.fixture
def emptied(server: Dovecot) -> Iterator[Dovecot]:
    """The server of all tests here, whose mailbox is emptied behind each."""
    yield server
    with server.sign_in() as client:
        client.select("INBOX")
        client.store("1:*", "+FLAGS", "(\\Deleted)")
        client.expunge()


@pytest.fixture
def looked(emptied: Dovecot) -> Callable[..., list[Message]]:
    """Return a function that brings mails to the server and looks at them."""

    def look(*mails: bytes) -> list[Message]:
        emptied.append(mails)
        with ImapSource(imap_settings(emptied), lambda: PASSWORD) as source:
            return list(source.partial_messages())

    return look


def compare(dovecot: Dovecot, mails: Sequence[bytes]) -> tuple[int, int]:
    """Compare what the head says with what all says; return how many were looked at, and how many settled."""
    put(dovecot, mails)
    with ImapSource(imap_settings(dovecot, timeout_seconds=60), lambda: PASSWORD) as source:
        heads, everything = list(source.partial_messages()), list(source.messages())
    assert [one.location for one in heads] == [one.location for one in everything]
    looked = settled = 0
    for head, message in zip(heads, everything, strict=True):
        if not head.is_partial:
            assert head == message
            continue
        looked += 1
        assert message.raw.startswith(head.raw)
        assert (head.size, head.received_at) == (message.size, message.received_at)
        said = read(head.raw)
        settled += all(isinstance(reading, NotAReport) for reading in said)
        assert said == read(message.raw)
    return looked, settled


def test_each_sample_in_each_envelope_reads_the_same_by_its_head(
    emptied: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even those that are fetched whole because their structure names a report are looked at here."""
    monkeypatch.setattr(head_plan, "_REPORTS", NOTHING)
    mails = [mail for path in SAMPLES[::3] for mail in wrapping.envelopes(on_the_wire(path))]
    looked, settled = compare(emptied, mails)
    assert looked > 0.7 * len(mails)
    assert settled


@pytest.mark.proof
@pytest.mark.parametrize("as_it_is", [True, False], ids=["as configured", "reports by their heads too"])
def test_all_samples_and_the_public_corpus_read_the_same_by_their_heads(
    dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch, as_it_is: bool
) -> None:
    """Thousands of mails with every envelope around them."""
    if not as_it_is:
        monkeypatch.setattr(head_plan, "_REPORTS", NOTHING)
    paths = [*SAMPLES, *sorted(CORPUS.rglob("*.eml"))]
    mails = [mail for path in paths for mail in wrapping.envelopes(on_the_wire(path)) if len(mail) < LARGEST]
    looked, settled = compare(dovecot, mails)
    print(f"{len(mails):,} mails, {looked:,} looked at by their heads, {settled:,} settled by them")
    assert looked > (0.3 if as_it_is else 0.6) * len(mails)


def test_the_head_ends_before_the_attachments_and_marks_nothing_as_seen(
    emptied: Dovecot, looked: Callable[..., list[Message]]
) -> None:
    """Its size is that of the whole message, and the message stays unread in the mailbox."""
    mail = mixed(text(b"see the offer"), attachment(), attachment(b"image/png", b"logo.png"))
    (message,) = looked(mail)
    assert message.is_partial
    assert message.raw == mail[: mail.index(attachment()) + attachment().index(b"\r\n\r\n") + 4]
    assert message.size == len(mail)
    with emptied.sign_in() as client:
        client.select("INBOX", readonly=True)
        assert client.search(None, "UNSEEN")[1] == [b"1"]


SMALL = b"Content-Type: text/plain\r\n\r\nno more than a line"


MARKED_BASE64 = embedded(b"Subject: x\r\n\r\ny").replace(
    b"\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n", 1
)
REPORT = b"Content-Type: multipart/report; boundary=r\r\n\r\n--r\r\n\r\nx\r\n--r--"
IN_PIECES = attachment().replace(b"; name=", b"; name*1=x; name*0*=utf-8''r.p; x=")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((attachment(), text(b"550 5.1.1 behind it")), id="text behind the attachment"),
        pytest.param((attachment(), embedded(b"Subject: x\r\n\r\ny")), id="mail behind the attachment"),
        pytest.param((attachment(b"application/octet-stream", b"report.eml"),), id="mail by its name"),
        pytest.param((attachment(b"application/pdf", b"report.EML"),), id="mail by its name alone"),
        pytest.param((attachment(b"application/ms-tnef", b"winmail.dat"),), id="winmail.dat"),
        pytest.param((attachment(b"application/pdf", b"winmail.dat"),), id="winmail.dat by its name"),
        pytest.param((attachment(b"application/vnd.ms-outlook", b"report.msg"),), id="Outlook item"),
        pytest.param((attachment(b"image/png", b"=?utf-8?b?ci5tc2c=?="),), id="encoded name"),
        pytest.param((attachment(b"application/octet-stream", b"report"),), id="name without an ending"),
        pytest.param((attachment(b"text/html", b"report.htm"),), id="HTML"),
        pytest.param((IN_PIECES,), id="name in pieces"),
        pytest.param((MARKED_BASE64, attachment()), id="encoded mail"),
        pytest.param((REPORT, attachment()), id="report by its structure"),
        pytest.param((*[text(b"x")] * 80, attachment()), id="too many parts"),
    ],
)
def test_what_a_reader_might_look_at_is_fetched_whole(
    looked: Callable[..., list[Message]], parts: tuple[bytes, ...]
) -> None:
    """Whatever might be a report, a mail, or a container that we cannot open."""
    mail = mixed(SMALL, *parts)
    (message,) = looked(mail)
    assert not message.is_partial
    assert message.raw == mail


def test_a_small_mail_and_a_small_saving_are_not_worth_a_look(looked: Callable[..., list[Message]]) -> None:
    """They are fetched whole at once, and nothing changes for them."""
    small = mixed(text(b"x"), attachment()[:9000])
    long_text = mixed(text(b"word " * 8000), attachment()[:5000])
    assert [message.raw for message in looked(small, long_text)] == [small, long_text]


def test_without_the_wish_all_is_fetched_whole(emptied: Dovecot) -> None:
    """`peek = false` in the configuration."""
    mail = mixed(text(b"x"), attachment())
    emptied.append([mail])
    with ImapSource(imap_settings(emptied, peek=False), lambda: PASSWORD) as source:
        assert [message.raw for message in source.partial_messages()] == [mail]


def test_a_head_is_made_whole_over_a_new_connection_and_a_mail_that_is_gone_is_none(dovecot: Dovecot) -> None:
    """The mailbox goes on living between the look and the download."""
    mail = mixed(text(b"x"), attachment())
    dovecot.append([mail, mail])
    with ImapSource(imap_settings(dovecot), lambda: PASSWORD) as source:
        first, second = source.partial_messages()
        dovecot.end_sessions(source.settings.user)
        whole = source.fetch_whole(first)
        assert whole
        assert (whole.raw, whole.is_partial, whole.location) == (mail, False, first.location)
        source.file(second.location)
        assert source.fetch_whole(second) is None
        dovecot.forget_uids(source.settings.user)
        assert source.fetch_whole(first) is None
