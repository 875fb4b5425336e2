"""Frozen mail: our headers and no others, seven bits, the same bytes each time."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounce_watch.model import Letter, LetterKind
from bounce_watch.notifications.errors import UnsafeMail
from bounce_watch.notifications.freeze import (
    check_mail,
    clean_header,
    freeze,
    is_message_id,
    is_own_mark,
    new_ids,
)

SECRET = b"k" * 32
BW_ID, MESSAGE_ID = new_ids(SECRET, "one", "contoso.example")
DATE = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
LETTER = Letter(
    kind=LetterKind.REPLY,
    event_key="one",
    to="mara@contoso.example",
    subject="Your mail to lena@fabrikam.example was not delivered: the address does not exist",
    text="Hello,\n\nsome words: ä ö ü ✓.\n.\nFrom here on\n",
    html="<!DOCTYPE html><html><body><p>Hello &amp; ✓</p></body></html>",
    in_reply_to="<9f3a@contoso.example>",
)


def frozen(letter: Letter = LETTER, **changes: Any) -> bytes:
    values = {
        "sender": ("Mail delivery help", "help@contoso.example"),
        "bw_id": BW_ID,
        "message_id": MESSAGE_ID,
    }
    return freeze(letter, date=DATE, **{**values, **changes})


def test_the_headers_are_ours() -> None:
    """RFC 3834 section 5 and the suppress header; one To, no Cc, Bcc or Reply-To."""
    mail = message_from_bytes(frozen(), policy=default)
    assert {name: str(value) for name, value in mail.items() if name != "Content-Type"} == {
        "From": "Mail delivery help <help@contoso.example>",
        "To": "mara@contoso.example",
        "Subject": LETTER.subject,
        "Date": "Tue, 24 Nov 2026 06:00:00 +0000",
        "Message-ID": MESSAGE_ID,
        "In-Reply-To": "<9f3a@contoso.example>",
        "References": f"<9f3a@contoso.example> {MESSAGE_ID}",
        "MIME-Version": "1.0",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
        "Precedence": "bulk",
        "Content-Language": "en",
        "X-Bounce-Watch-ID": BW_ID,
        "X-Bounce-Watch-Kind": "reply",
    }


def test_replies_go_where_the_configuration_says() -> None:
    mail = message_from_bytes(frozen(reply_to="bounces@contoso.example"), policy=default)
    assert str(mail["Reply-To"]) == "bounces@contoso.example"
    with pytest.raises(UnsafeMail):
        frozen(reply_to="bounces@contoso.example\r\nBcc: eve@evil.example")


def test_both_parts_carry_the_text_and_our_mark() -> None:
    mail = message_from_bytes(frozen(), policy=default)
    assert mail.get_content_type() == "multipart/alternative"
    text, html = (part.get_content() for part in mail.iter_parts())
    assert text.replace("\r\n", "\n") == f"{LETTER.text}Reference: {BW_ID}\n"
    assert "Hello &amp; ✓" in html
    assert html.index(BW_ID) < html.index("</body>")


def test_the_bytes_are_the_same_each_time() -> None:
    assert frozen() == frozen()


def test_the_mail_is_seven_bits_with_crlf() -> None:
    content = frozen(replace(LETTER, text="ä" * 3000, html="<p>" + "ö" * 3000))
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_our_bounce_is_recognised_by_any_of_the_marks() -> None:
    mail = message_from_bytes(frozen(), policy=default)
    for name in ("Message-ID", "References", "X-Bounce-Watch-ID"):
        assert is_own_mark(SECRET, str(mail[name]))


def test_a_long_id_is_not_rewritten() -> None:
    """The stdlib writes an id of more than 78 characters as an encoded word."""
    long = f"<{'a' * 200}@fabrikam.example>"
    mail = message_from_bytes(frozen(replace(LETTER, in_reply_to=long)))
    assert mail["In-Reply-To"] == long
    assert mail["References"].split() == [long, MESSAGE_ID]


@pytest.mark.parametrize(
    "odd",
    [
        *("", "9f3a@contoso.example", "<9f3a>", "<a@b@c>", "<a b@c>", "<a@b>\r\nBcc: x@y.example", "<a@b>\n"),
        *("<ä@b>", "<a@b><c@d>", f"<{'a' * 300}@b>", "=?utf-8?q?<a@b>?="),
    ],
)
def test_an_odd_id_is_not_named(odd: str) -> None:
    mail = message_from_bytes(frozen(replace(LETTER, in_reply_to=odd)))
    assert "In-Reply-To" not in mail
    assert mail["References"] == MESSAGE_ID


@pytest.mark.parametrize("length", range(55, 100))
def test_a_long_subject_begins_on_the_line_of_its_name(length: int) -> None:
    """The stdlib breaks after the colon; the reader would see a space before the subject."""
    subject = "Your mail to lena@fabrikam.example was not delivered: ".ljust(length, "x")
    content = frozen(replace(LETTER, subject=subject))
    assert b"\r\nSubject: Your mail" in content
    assert message_from_bytes(content, policy=default)["Subject"] == subject


INJECTIONS = [
    "a\r\nBcc: victim@fabrikam.example",
    "a\nBcc: victim@fabrikam.example",
    "=?utf-8?q?a=0D=0ABcc:_victim@fabrikam.example?=",
    "=?utf-8?q?a?= =?utf-8?q?=0D=0ABcc:_v@x.example?=",
    "a\x00b\x0bc\x0cd\x1ce\x85f\u2028g\u2029h",
    "=\u200b?utf-8?q?=0D=0ABcc:_v@x.example?=",
    "\udcff\ud800",
    "x" * 5000,
    "ä" * 5000,
]


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_hostile_subject_or_name_stays_in_its_field(value: str) -> None:
    """CVE-2024-6923 and its family: no field is added, whatever the value."""
    letter = replace(LETTER, subject=value, language=value, text=value, html=f"<body>{value}</body>")
    content = frozen(letter, sender=(value, "help@contoso.example"))
    mail = message_from_bytes(content)
    assert mail.get_all("To") == ["mara@contoso.example"]
    assert not {"Bcc", "Cc", "Reply-To"} & set(mail.keys())
    assert b"\r\nBcc:" not in content.partition(b"\r\n\r\n")[0]


@given(st.text(max_size=300))
def test_any_subject_gives_a_mail_that_passes_the_check(subject: str) -> None:
    content = frozen(replace(LETTER, subject=subject))
    check_mail(content)
    assert len(message_from_bytes(content, policy=default)["Subject"]) <= 200


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"sender": ("x", "help@contoso.example\r\nBcc: v@x.example")}, id="from"),
        pytest.param({"message_id": "<a@b>\r\nBcc: v@x.example"}, id="message-id"),
        pytest.param({"message_id": "no id"}, id="malformed-message-id"),
    ],
)
def test_an_unsafe_value_of_our_own_stops_the_mail(change: dict[str, Any]) -> None:
    with pytest.raises(UnsafeMail):
        frozen(**change)


@pytest.mark.parametrize(
    "to", ["", "a@b@c.example", "Mara <mara@contoso.example>", "mara@contoso.example,x@y.example"]
)
def test_an_unplain_recipient_stops_the_mail(to: str) -> None:
    with pytest.raises(UnsafeMail):
        frozen(replace(LETTER, to=to))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"\r\nPrecedence: bulk", b"\r\nPrecedence: bulk\r\nBcc: v@x.example", id="bcc"),
        pytest.param(b"\r\nPrecedence: bulk", b"\r\nPrecedence: bulk\r\nTo: v@x.example", id="second-to"),
        pytest.param(b"\r\nPrecedence: bulk", b"", id="missing-field"),
        pytest.param(b"\r\nPrecedence: bulk", b"\nPrecedence: bulk", id="bare-lf"),
        pytest.param(b"\r\nPrecedence: bulk", b"\rPrecedence: bulk", id="bare-cr"),
        pytest.param(b"Precedence: bulk", b"Precedence: b\x00lk", id="nul"),
        pytest.param(b"Precedence: bulk", "Precedence: bülk".encode(), id="eight-bits"),
        pytest.param(b"Precedence: bulk", b"Precedence bulk", id="no-colon"),
        pytest.param(b"Precedence: bulk", b"Precedence: " + b"x" * 1000, id="long-line"),
        pytest.param(b"Precedence: bulk", b"Precedence: b\x1bulk", id="escape"),
        pytest.param(b"Some words", b"Some\nwords", id="bare-lf-in-the-body"),
    ],
)
def test_the_last_look_finds(old: bytes, new: bytes) -> None:
    """Whatever went wrong before: these bytes do not leave."""
    good = frozen(replace(LETTER, text="Some words"))
    check_mail(good)
    assert old in good
    with pytest.raises(UnsafeMail):
        check_mail(good.replace(old, new, 1))


def test_a_clean_header_keeps_ordinary_text() -> None:
    assert clean_header("Ihre Mail an Jörg: 5.7.1 (SPF)") == "Ihre Mail an Jörg: 5.7.1 (SPF)"


@given(st.text(max_size=500))
def test_a_clean_header_is_one_line_without_encoded_words(value: str) -> None:
    cleaned = clean_header(value)
    assert "=?" not in cleaned
    assert len(cleaned) <= 200
    assert len(cleaned.splitlines()) <= 1


def test_a_plain_message_id_is_accepted() -> None:
    assert is_message_id("<CAF=x.y+z@mail.fabrikam.example>")


WORDS = st.sampled_from(
    [
        "Your",
        "email",
        "to",
        "“Offer”",
        "Größe",
        "—",
        "isn't",
        "there",
        "petra.meier@nordwerk.example",
        "INC-7",
    ]
)


@given(st.lists(WORDS, min_size=1, max_size=25))
def test_a_folded_subject_keeps_every_space(words: list[str]) -> None:
    """As it reads where encoded words are joined by RFC 2047 section 6.2."""
    subject = clean_header(" ".join(words))
    parsed = message_from_bytes(frozen(replace(LETTER, subject=subject)), policy=default)
    assert parsed["Subject"] == subject


def test_an_urgent_letter_is_marked_for_mail_clients() -> None:
    assert b"\r\nImportance: high\r\n" in frozen(replace(LETTER, is_urgent=True))
    assert b"Importance" not in frozen(LETTER)
