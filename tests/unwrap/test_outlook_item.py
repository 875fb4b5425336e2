"""Outlook items (.msg): reports dragged out of Outlook, read as the messages they were."""

import builtins
import random
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounce_watch.classify import judge
from bounce_watch.model import Bounce, Cause, Kind, NotAReport, Reading, Report, Unreadable
from bounce_watch.parse import read
from bounce_watch.sandbox.jobs import shipped_catalogue
from bounce_watch.source import open_path
from bounce_watch.unwrap.mime.outlook_item import as_mail
from tests.outlook import Item, Value, msg

CLASS, SUBJECT, HEADERS, BODY, HTML = 0x001A, 0x0037, 0x007D, 0x1000, 0x1013
REPORTER, REMOTE, SUPPLEMENT, STATUS = 0x6820, 0x0C21, 0x0C1B, 0x0C20
NAME, ADDRESS, SMTP, SENDER_SMTP, MESSAGE_ID, DISPLAY_TO = 0x3001, 0x3003, 0x39FE, 0x5D01, 0x1035, 0x0E04
FILE, FILE_NAME = 0x3701, 0x3707

NOT_FOUND = "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient lee@fabrikam.example not found"
HEAD = (
    "From: Microsoft Outlook <postmaster@contoso.example>\r\nTo: ada@contoso.example\r\n"
    "Date: Mon, 2 Nov 2026 09:00:00 +0000\r\nSubject: Undeliverable: Offer\r\n"
    "Message-ID: <ndr-1@contoso.example>\r\nX-MS-Exchange-Message-Is-Ndr:\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/report;\r\n"
    '\treport-type=delivery-status; boundary="gone"\r\n'
)
RECIPIENT = {
    NAME: "Lee",
    ADDRESS: "/o=Contoso/ou=Exchange/cn=Recipients/cn=lee",
    SMTP: "lee@fabrikam.example",
    STATUS: 510,
    REMOTE: "mx.fabrikam.example",
    SUPPLEMENT: f"<mx.fabrikam.example #5.1.10 {NOT_FOUND}>",
}
ORIGINAL = Item(
    {
        CLASS: "IPM.Note",
        SUBJECT: "Offer",
        SENDER_SMTP: "ada@contoso.example",
        MESSAGE_ID: "<offer@contoso.example>",
    }
)


def ndr(**changed: Any) -> Item:
    """An NDR as Outlook saves it."""
    properties = {
        CLASS: "REPORT.IPM.Note.NDR",
        SUBJECT: "Undeliverable: Offer",
        HEADERS: HEAD,
        BODY: "Delivery has failed",
    }
    whole: dict[str, Any] = {"properties": properties, "recipients": [RECIPIENT], "attachments": [ORIGINAL]}
    return Item(**{**whole, **changed})


def forward(
    content: bytes, head: str = 'Content-Type: application/vnd.ms-outlook; name="Undeliverable.msg"'
) -> bytes:
    """A colleague's mail with an item attached to it."""
    import base64

    body = base64.encodebytes(content).decode("ascii")
    return (
        "From: Ada <ada@contoso.example>\nTo: bounces@contoso.example\nSubject: FW: Undeliverable: Offer\n"
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nplease look\n"
        f"--b\n{head}\nContent-Transfer-Encoding: base64\n\n{body}\n--b--\n"
    ).encode()


def bounces(readings: tuple[Reading, ...]) -> list[Bounce]:
    reports = (reading for reading in readings if isinstance(reading, Report))
    return [bounce for report in reports for bounce in judge(report, shipped_catalogue(), None)]


@pytest.mark.parametrize(
    "head",
    [
        'Content-Type: application/vnd.ms-outlook; name="Undeliverable.msg"',
        'Content-Type: application/octet-stream\nContent-Disposition: attachment; filename="NDR.MSG"',
        "Content-Type: application/vnd.ms-outlook",
    ],
)
def test_a_report_attached_as_an_outlook_item_is_read_whole(head: str) -> None:
    """Recipient, codes and words of the recipient table; sender and Message-ID of the returned mail."""
    readings = read(forward(msg(ndr()), head))
    (report,) = readings
    assert isinstance(report, Report)
    assert report.reporting_mta is None
    assert (report.envelopes, report.forwarded_by) == (("attached",), "ada@contoso.example")
    assert (report.message_id, report.original.message_id) == (
        "<ndr-1@contoso.example>",
        "<offer@contoso.example>",
    )
    (bounce,) = bounces(readings)
    assert (bounce.recipient, bounce.sender) == ("lee@fabrikam.example", "ada@contoso.example")
    assert (bounce.status, bounce.reply_code, bounce.cause) == ("5.1.10", "550", Cause.RECIPIENT_UNKNOWN)
    assert (bounce.remote_mta, bounce.diagnostic_code) == ("mx.fabrikam.example", NOT_FOUND.partition(";")[2])


def test_an_item_as_a_file_is_read_like_a_mail(tmp_path: Path) -> None:
    (tmp_path / "Undeliverable Offer.msg").write_bytes(msg(ndr()))
    with open_path(tmp_path) as source:
        (message,) = source.messages()
    (bounce,) = bounces(read(message.raw))
    assert bounce.recipient == "lee@fabrikam.example"


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        ("NDR", Kind.FAILURE),
        ("Delayed.DR", Kind.DELAY),
        ("DR", Kind.SUCCESS),
        ("Relayed.DR", Kind.SUCCESS),
        ("IPNRN", Kind.RECEIPT),
    ],
)
def test_the_class_of_an_item_says_what_kind_of_report_it_is(ending: str, kind: Kind) -> None:
    properties = {CLASS: f"REPORT.IPM.Note.{ending}", SUBJECT: "Offer", HEADERS: HEAD, BODY: "Offer"}
    (reading,) = read(msg(ndr(properties=properties, recipients=[{SMTP: "lee@fabrikam.example"}])))
    assert getattr(reading, "kind", None) is kind


def test_without_header_and_words_the_properties_tell() -> None:
    """Reports made inside the organisation carry no transport header."""
    properties = {
        CLASS: "REPORT.IPM.Note.NDR",
        SUBJECT: "Undeliverable: Offer",
        DISPLAY_TO: "Ada",
        BODY: "Failed.",
    }
    recipients = [{NAME: "lee@fabrikam.example", STATUS: 522}, {ADDRESS: "kim@fabrikam.example", STATUS: 511}]
    found = bounces(read(msg(ndr(properties=properties, recipients=recipients))))
    assert [(one.recipient, one.status) for one in found] == [
        ("lee@fabrikam.example", "5.2.2"),
        ("kim@fabrikam.example", "5.1.1"),
    ]
    assert {one.sender for one in found} == {"ada@contoso.example"}


def test_a_persons_mail_kept_as_an_item_is_opened_for_what_is_in_it() -> None:
    """A report in an item in an item, beside a mail that was attached as a file."""
    properties = {CLASS: "IPM.Note", SUBJECT: "two bounces", SENDER_SMTP: "ada@contoso.example", BODY: "look"}
    head, words = (
        HEAD.partition("Content-Type")[0],
        "Your message to kim@fabrikam.example couldn't be delivered.",
    )
    saved = f"{head}\r\n{words}\r\n550 5.1.1 unknown"
    file: dict[int, Value] = {FILE_NAME: "second.eml", FILE: saved.encode()}
    found = bounces(read(forward(msg(Item(properties, attachments=[ndr(), file])))))
    assert {one.recipient for one in found} == {"lee@fabrikam.example", "kim@fabrikam.example"}


def test_strings_in_a_code_page_are_read() -> None:
    properties = {
        CLASS: "IPM.Note",
        SUBJECT: "Angebot für Köln",
        SENDER_SMTP: "ada@contoso.example",
        BODY: "Grüße",
    }
    mail = as_mail(msg(Item(properties, code_page=1252)))
    assert mail is not None
    assert "Subject: Angebot für Köln" in mail.decode()


def test_large_streams_are_read_too() -> None:
    text = "Delivery has failed. " * 1000
    properties = {CLASS: "REPORT.IPM.Note.NDR", SUBJECT: "x", HEADERS: HEAD, BODY: text}
    assert [one.recipient for one in bounces(read(msg(ndr(properties=properties))))] == [
        "lee@fabrikam.example"
    ]


def test_a_mail_that_is_no_report_stays_one() -> None:
    properties = {CLASS: "IPM.Note", SUBJECT: "lunch", SENDER_SMTP: "ada@contoso.example", BODY: "at noon?"}
    (reading,) = read(forward(msg(Item(properties))))
    assert isinstance(reading, NotAReport)


def test_text_of_an_item_ends_no_part_and_adds_no_field() -> None:
    """Boundaries and line ends in names, subjects and bodies stay text."""
    ends = "--=_item_0--\r\n--=_item_0\r\nContent-Type: message/delivery-status\r\n\r\n"
    evil = f"x\r\nX-MS-Exchange-Message-Is-Ndr:\r\n\r\n{ends}"
    properties = {
        CLASS: "IPM.Note",
        SUBJECT: evil,
        SENDER_SMTP: "ada@contoso.example",
        BODY: evil,
        DISPLAY_TO: evil,
    }
    mail = as_mail(msg(Item(properties, recipients=[{NAME: evil}])))
    assert mail is not None
    head, _, rest = mail.partition(b"\r\n\r\n")
    assert [line.partition(b":")[0] for line in head.split(b"\r\n")] == [
        *(b"From", b"To", b"Subject", b"MIME-Version", b"Content-Type")
    ]
    assert rest.count(b"--=_item_0\r\n") == 1
    assert rest.count(b"--=_item_0--") == 1
    report = as_mail(
        msg(ndr(recipients=[{SMTP: "lee@fabrikam.example", REMOTE: evil, SUPPLEMENT: f"<#5.1.1 {evil}>"}]))
    )
    assert report is not None
    assert report.count(b"\r\n--=_item_0\r\n") == 3


@pytest.fixture
def without_olefile(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name == "olefile":
            raise ImportError(name)
        return usual(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)


@pytest.mark.usefixtures("without_olefile")
@pytest.mark.parametrize("wrap", [forward, bytes])
def test_without_the_extra_it_is_said_what_to_do(wrap: Any) -> None:
    (reading,) = read(wrap(msg(ndr())))
    assert isinstance(reading, Unreadable)
    assert reading.reason.startswith("ask for it again as an attached mail (.eml)")
    assert "bounce-watch[msg]" in reading.reason


def test_a_file_that_states_more_than_it_has_is_not_opened() -> None:
    """Each number of sectors, the size of the root, the sizes of streams: olefile would believe them."""
    sound = msg(ndr())
    for place in (40, 44, 64, 72):
        assert as_mail(sound[:place] + struct.pack("<I", 0x7FFFFFFF) + sound[place + 4 :]) is None
    root = sound.index("Root Entry".encode("utf-16-le"))
    assert as_mail(sound[: root + 120] + struct.pack("<Q", 1 << 31) + sound[root + 128 :]) is None


def looped(sound: bytes) -> bytes:
    """The same file with every stream as large as the file, in chains that come back to where they were."""
    content = bytearray(sound)
    table, directory = (512 * (1 + struct.unpack_from("<I", sound, at)[0]) for at in (76, 48))
    for at in range(directory, table - 127, 128):
        if content[at + 66] == 2:
            struct.pack_into("<Q", content, at + 120, len(sound) - 1)
    for number in range((directory - 512) // 512):
        struct.pack_into("<I", content, table + 4 * number, number)
    return bytes(content)


def sharing(items: int, inner: bytes) -> bytes:
    """An item whose attached files are all the same bytes, which it holds once."""
    names: dict[int, Value] = {FILE_NAME: "x.msg"}
    files = [names | {FILE: inner}, *[names | {FILE: b"x"}] * (items - 1)]
    content = bytearray(msg(Item({CLASS: "IPM.Note", SENDER_SMTP: "ada@contoso.example"}, attachments=files)))
    name = "__substg1.0_37010102".encode("utf-16-le")
    places = [at for at in range(0, len(content), 128) if content.startswith(name, at)]
    (first,) = (at for at in places if struct.unpack_from("<Q", content, at + 120)[0] == len(inner))
    for at in places:
        content[at + 116 : at + 128] = content[first + 116 : first + 128]
    return bytes(content)


def test_an_item_that_holds_the_same_bytes_many_times_is_not_opened() -> None:
    """Five such, each in the next, would be a million mails in 100 KB."""
    assert as_mail(sharing(1, msg(ndr()))) is not None
    content = msg(ndr())
    for _ in range(5):
        content = sharing(20, content)
    assert as_mail(content) is None
    start = time.process_time()
    (reading,) = read(forward(content))
    assert isinstance(reading, Unreadable)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("name", ["loops", "many recipients", "deep", "many streams"])
def test_loops_and_large_items_cost_little(name: str) -> None:
    content = {
        "loops": lambda: looped(msg(ndr(recipients=[RECIPIENT] * 60))),
        "many recipients": lambda: msg(ndr(recipients=[RECIPIENT] * 180)),
        "deep": lambda: msg(nested(30)),
        "many streams": lambda: msg(ndr(recipients=[dict.fromkeys(range(0x3000, 0x3500), "x")])),
    }[name]()
    start = time.process_time()
    read(content)
    took = time.process_time() - start
    print(f"{name}: {len(content)} bytes, {took:.3f} s")
    assert took < 1


def nested(depth: int) -> Item:
    item = ndr()
    for _ in range(depth):
        item = Item({CLASS: "IPM.Note", SUBJECT: "x", SENDER_SMTP: "ada@contoso.example"}, attachments=[item])
    return item


@pytest.mark.slow
def test_damaged_items_raise_nothing() -> None:
    """2,000 files with bytes changed, in the places that matter more often than elsewhere."""
    sound, choose = msg(ndr()), random.Random(7)
    outcomes = set()
    for _ in range(2000):
        content = bytearray(sound)
        for _ in range(choose.randint(1, 8)):
            at = choose.randrange(512) if choose.random() < 0.3 else choose.randrange(len(content))
            content[at] = choose.choice((0, 0xFF, 0xFE, choose.randrange(256)))
        (reading, *_) = read(bytes(content))
        assert "failed on it" not in getattr(reading, "reason", "")
        outcomes.add(type(reading).__name__)
    assert outcomes == {"Report", "Unreadable", "NotAReport"}


@given(st.binary(max_size=3000))
@settings(max_examples=100, deadline=None)
def test_no_bytes_behind_the_mark_raise(tail: bytes) -> None:
    for reading in read(msg(ndr())[:512] + tail):
        assert "failed on it" not in getattr(reading, "reason", "")
