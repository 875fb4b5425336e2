"""No bytes make the reader raise or dawdle."""

import importlib.util
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounce_watch.model import NotAReport, Report, Unreadable
from bounce_watch.parse import read
from tests.parse.hostile import HOSTILE, HOSTILE_HEADERS

LIMIT_SECONDS = 1.0
MAILS = HOSTILE | HOSTILE_HEADERS


@pytest.mark.parametrize("raw", MAILS.values(), ids=MAILS.keys())
def test_hostile_mail_is_read_within_a_second(raw: bytes) -> None:
    """Every input gives at least one reading in time, and no fault of the reader."""
    started = time.process_time()
    readings = read(raw)
    assert time.process_time() - started < LIMIT_SECONDS
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
        started = time.process_time()
        readings = read(raw)
        assert time.process_time() - started < LIMIT_SECONDS, name
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
