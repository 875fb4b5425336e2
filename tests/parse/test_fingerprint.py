"""One report keeps its name through every envelope; two reports never share one."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bounce_watch.model import Action, OriginalMessage, RecipientFields, Report
from bounce_watch.parse import read
from bounce_watch.parse.fingerprint import fingerprint_of
from bounce_watch.unwrap import parse, unwrap

NDR = "exchange_online/01-current-with-dsn.eml"


def fingerprint(raw: bytes, number: int = 0) -> str:
    reading = read(raw)[number]
    assert isinstance(reading, Report)
    return reading.fingerprint


@pytest.mark.parametrize(
    "copy",
    [
        "journal/01-around-an-ndr.eml",
        "forwarded/01-attached.eml",
        "forwarded/03-octet-stream-eml.eml",
        "forwarded/09-journal-around-a-forward.eml",
        "redirected/01-inbox-rule.eml",
    ],
)
def test_a_copy_has_the_fingerprint_of_the_bare_report(samples: Path, copy: str) -> None:
    assert fingerprint((samples / copy).read_bytes()) == fingerprint((samples / NDR).read_bytes())


def test_line_ends_and_added_headers_do_not_change_it(samples: Path) -> None:
    """Exchange rebuilds the bytes: folding, line ends and trace headers may differ."""
    raw = (samples / NDR).read_bytes()
    rebuilt = b"Received: from x by y; Mon, 1 Jun 2026 09:00:00 +0000\r\n" + raw.replace(b"\r\n", b"\n")
    assert fingerprint(rebuilt) == fingerprint(raw)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<7d1c@ndr", b"<7d1z@ndr"),
        (b"rfc822;lee@", b"rfc822;leo@"),
        (b"Action: failed", b"Action: delayed"),
        (b"Message-ID: <offer-june", b"Message-ID: <offer-july"),
        (b"08:15:30", b"08:15:31"),
    ],
)
def test_another_report_has_another_fingerprint(samples: Path, before: bytes, after: bytes) -> None:
    raw = (samples / NDR).read_bytes()
    changed = raw.replace(before, after)
    assert changed != raw
    assert fingerprint(changed) != fingerprint(raw)


def test_without_a_message_id_the_words_count(samples: Path) -> None:
    raw = (samples / "prose/address_colon-two-recipients.eml").read_bytes()
    nameless = raw.replace(b"Message-ID: <plain-1@relay.example>\n", b"")
    reworded = nameless.replace(b"It has given up.", b"It has given up now.")
    assert fingerprint(nameless) != fingerprint(raw)
    assert fingerprint(nameless) != fingerprint(reworded)


def test_every_sample_has_one(samples: Path, as_plain: Any) -> None:
    readings = [
        r for mail in samples.glob("*/*.eml") for r in read(mail.read_bytes()) if isinstance(r, Report)
    ]
    assert all(len(reading.fingerprint) == 64 for reading in readings)


TEXTS = some.none() | some.text(some.characters())


@given(message_id=TEXTS, recipient=TEXTS, diagnostic=TEXTS, original=TEXTS)
def test_what_is_named_is_written_as_json(
    message_id: str | None, recipient: str | None, diagnostic: str | None, original: str | None
) -> None:
    """Names that older versions stored stay true: they are made of the text of `json.dumps`."""
    entry = RecipientFields(final_recipient=recipient, action=Action.FAILED, diagnostic_code=diagnostic)
    wrapped = unwrap(parse(b"From: a@b.example\r\nDate: Mon,  1 Jun 2026\r\n\r\nhello  world\r\n"))[0]
    words = " ".join((diagnostic or "").split())
    facts: list[object] = [
        message_id,
        "Mon, 1 Jun 2026",
        "a@b.example",
        [[recipient or "", "", "failed", "", words]],
        original,
    ]
    if message_id is None:
        facts.append(sha256(b"hello world").hexdigest())
    found = fingerprint_of(wrapped, message_id, (entry,), OriginalMessage(message_id=original))
    assert found == sha256(json.dumps(facts).encode()).hexdigest()
