"""No bytes make the reader raise or dawdle."""

import importlib.util
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounce_watch.model import NotAReport, Report, Unreadable
from bounce_watch.parse import read

LIMIT_SECONDS = 1.0
REPORT = b"From: MAILER-DAEMON@a.example\nSubject: Undeliverable: x\n"

HOSTILE = {
    "nothing": b"",
    "white space": b" \r\n\r\n ",
    "binary junk": bytes(range(256)) * 40,
    "zeros": b"\x00" * 5000,
    "bare CR": b"\r" * 1_000_000,
    "no header": b"a line without a colon\n" * 5000,
    "one long line": b"x" * 2_500_000,
    "20,000 headers": b"X-H: v\n" * 20_000 + b"\nbody",
    "one header of 1 MB": b"Subject: " + b"a b " * 250_000 + b"\n\nbody",
    "encoded words": b"Subject: " + b"=?utf-8?q?x=0D=0AY?= " * 3000 + b"\n\nx",
    "broken encoded word": b"From: =?utf-8?b?////?= =?x?z?\n\nx",
    "10,000 addresses": b"To: " + b"a@b.example, " * 10_000 + b"\n\nx",
    "comments in comments": b"From: " + b"(" * 5000 + b"a@b.example\n\nx",
    "50,000 parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 50_000,
    "400 levels": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(400)
    ),
    "mails in mails": b"Content-Type: message/rfc822\n\n" * 1500 + b"Subject: x\n\nx",
    "charset with NUL": b'Content-Type: text/plain; charset="a\x00b"\n\nx',
    "charset idna": b"Content-Type: text/plain; charset=idna\n\n\xff\xfe",
    "broken base64": REPORT + b"Content-Transfer-Encoding: base64\n\n!!!! <a@b.example>: 550 no",
    "status in broken base64": b"Content-Type: multipart/report; boundary=b\n\n--b\n"
    b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n@@@@\n--b--\n",
    "boundary of bytes": b'Content-Type: multipart/mixed; boundary="\xff"\n\n--\xff\n\nx',
    "ESC and NUL in values": REPORT
    + b"Message-ID: <\x1b[2J\x00@x>\n\n<a@b.example>: \x1b]8;;x\x07 550 5.1.1",
    "many address lines": REPORT + b"\n" + b"  a@b.example\n" * 50_000,
    "many address colons": REPORT + b"\n" + b"<a@b.example>:\n" * 50_000,
    "at signs": REPORT + b"\n" + b"@" * 60_000,
    "angles": REPORT + b"\n" + b"<" * 60_000,
    "dashes": REPORT + b"\n" + b"-" * 60_000,
    "spaces": REPORT + b"\n" + b" " * 60_000,
    "quotes in quotes": REPORT + b"\n" + b"> " * 30_000,
    "digits": REPORT + b"\n" + b"550 5.1." * 8_000,
    "labels": REPORT + b"\n" + b"failed to " * 6_000,
    "html tags": REPORT + b"Content-Type: text/html\n\n" + b"<p " * 60_000,
    "html scripts": REPORT + b"Content-Type: text/html\n\n" + b"<script></script " * 10_000,
    "json depth": REPORT + b'\n{"notificationType":' + b"[" * 50_000,
    "hashes": REPORT
    + b"\nDiagnostic information for administrators:\n\na@b.example\n550 5.1.1 "
    + b"#" * 60_000,
    "pasted blocks": b"From: a@b.example\n\n" + b"From: x\nSent: y\n" * 4_000,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_mail_is_read_within_a_second(raw: bytes) -> None:
    """Every input gives at least one reading in time, and no fault of the reader."""
    started = time.perf_counter()
    readings = read(raw)
    assert time.perf_counter() - started < LIMIT_SECONDS
    assert readings
    for reading in readings:
        assert isinstance(reading, Report | NotAReport | Unreadable)
        assert "the reader failed" not in getattr(reading, "reason", "")


@pytest.mark.corpus
def test_the_shared_hostile_inputs_are_read_within_a_second(shared: Path) -> None:
    """102 messages that broke other readers."""
    source = shared / "reference" / "hostile_inputs.py"
    spec = importlib.util.spec_from_file_location("hostile_inputs", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    messages = list(module.hostile_messages())
    assert len(messages) > 100
    for name, raw in messages:
        started = time.perf_counter()
        readings = read(raw)
        assert time.perf_counter() - started < LIMIT_SECONDS, name
        assert not any("the reader failed" in getattr(r, "reason", "") for r in readings), name


def test_what_is_no_mail_is_unreadable() -> None:
    """Quarantine is for bytes that will fail again, and the reason says why."""
    assert read(b"") == (Unreadable(reason="it is empty"),)
    assert isinstance(read(b"\x00\x01\x02 no header here \xff")[0], Unreadable)
    assert isinstance(read(b"Subject: hello\n\nbody")[0], NotAReport)


@given(st.binary(max_size=3000))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    assert not any("the reader failed" in getattr(r, "reason", "") for r in read(raw))


PIECES = st.sampled_from(
    [
        b"Content-Type: multipart/report; boundary=b; report-type=delivery-status\n",
        b"Content-Type: message/rfc822\n",
        b"From: MAILER-DAEMON@a.example\n",
        b"From: <>\n",
        b"X-MS-Journal-Report:\n",
        b"Resent-From: a@b.example\n",
        b"Subject: Undeliverable: x\n",
        b"\n",
        b"\n--b\n",
        b"\n--b--\n",
        b"Content-Type: message/delivery-status\n",
        b"Final-Recipient: rfc822;a@b.example\n",
        b"Action: failed\n",
        b"Status: 5.1.1\n",
        b"<a@b.example>:\n",
        b"550 5.1.1 -> 554 5.7.1\n",
        b"----- Transcript of session follows -----\n",
        b"Sent: today\n",
        b"> ",
        b"Diagnostic information for administrators:\n",
        b"Sender Address: a@b.example\n",
        b"\xff\x00",
        b"\r",
        b'{"notificationType":"Bounce"}',
        b"Content-Type: text/html; charset=utf-7\n",
        b"<pre>",
        b"=?utf-8?b?/w?=",
    ]
)


@given(st.lists(PIECES, max_size=40))
def test_no_pile_of_report_pieces_makes_it_raise(pieces: list[bytes]) -> None:
    assert not any("the reader failed" in getattr(r, "reason", "") for r in read(b"".join(pieces)))
