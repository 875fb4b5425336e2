"""Header limits hold at every depth before the MIME library reads the bytes."""

import base64
import time
from collections.abc import Callable

import pytest

from bounce_watch.parse import read
from bounce_watch.unwrap.mime.tree import parse

UNITS = [b"=? ", b"=?", b"?=", b"=?a?q?", b"=?utf-8?q?a?= ", b"=?utf-8?b?YQ==?= ", b"?"]
ENCODED: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.encodebytes,
    "quoted-printable": lambda content: content.replace(b"=", b"=3D"),
    "7bit": bytes,
}


def attached(inner: bytes, encoding: str = "7bit", kind: bytes = b"message/rfc822") -> bytes:
    return (
        b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n"
        + ENCODED[encoding](inner) + b"\r\n--b--\r\n"
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_a_long_header_of_an_attached_message_is_read_quickly(unit: bytes, encoding: str) -> None:
    """It took the square of its length: a minute for two megabytes."""
    inner = b"From: a@b.example\r\nSubject: " + unit * (500_000 // len(unit)) + b"\r\n\r\nhello\r\n"
    started = time.process_time()
    read(attached(attached(inner), encoding))
    assert time.process_time() - started < 1


@pytest.mark.parametrize("kind", [b"message/rfc822", b"MESSAGE/RFC822; x=y", b"=?utf-8?q?message/rfc822?="])
@pytest.mark.parametrize("encoding", ENCODED)
def test_an_attached_message_is_found_however_it_is_encoded(encoding: str, kind: bytes) -> None:
    inner = b"From: c@d.example\r\nSubject: returned\r\n\r\nhello\r\n"
    (part,) = parse(attached(inner, encoding, kind)).children
    (message,) = part.children
    assert message.headers.first("subject") == "returned"
    assert message.text.strip() == "hello"


def test_a_digest_hides_no_encoded_message() -> None:
    inner = b"Subject: " + b"=? " * 170_000 + b"\r\n\r\nx"
    digest = (
        b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(inner) + b"\r\n--b--\r\n"
    )  # fmt: skip
    started = time.process_time()
    read(digest)
    assert time.process_time() - started < 1


def test_words_and_long_lines_of_a_usual_message_stay() -> None:
    """Base64 in one line, and a long list of encoded names."""
    names = b", ".join(b"=?utf-8?q?J=C3=B6rg?= <j%d@b.example>" % number for number in range(40))
    raw = (
        b"From: a@b.example\r\nTo: " + names + b"\r\nX-More: " + b" ".join([b"=?utf-8?q?x?="] * 120)
        + b"\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(b"kept " * 9000)
    )  # fmt: skip
    message = parse(raw)
    assert message.text.count("kept") == 9000
    assert (message.headers.first("to") or "").startswith("Jörg <j0@b.example>, Jörg <j1@b.example>")
    assert "j39@b.example" in (message.headers.first("to") or "")
