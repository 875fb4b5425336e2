"""The head of a mail for people: decoded, bounded, and never in the way."""

import pytest

from bounce_watch.explain.letterhead import MAX_HOPS, MAX_TEXT, letterhead


def test_names_subject_and_hops_are_decoded_first_hop_first() -> None:
    raw = (
        b"Received: from second.example by third.example; Tue, 24 Nov 2026 10:00:05 +0000\r\n"
        b"Received: from first.example by second.example; Tue, 24 Nov 2026 10:00:00 +0000\r\n"
        b"From: =?utf-8?q?J=C3=BCrgen?= <j@larkfield.example>\r\nTo: bounces@larkfield.example\r\n"
        b"Subject: =?utf-8?b?VW56dXN0ZWxsYmFy?=\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\nbody\r\n"
    )
    head = letterhead(raw)
    assert head is not None
    assert head.sender == "Jürgen <j@larkfield.example>"
    assert head.subject == "Unzustellbar"
    assert [hop.split(",")[0] for hop in head.hops] == [
        "first.example -> second.example",
        "second.example -> third.example",
    ]


def test_the_body_is_never_read_by_it() -> None:
    head = letterhead(b"Subject: short\r\n\r\n" + b"Subject: long\r\n" * 1000)
    assert head is not None
    assert head.subject == "short"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00\x01 not an email", id="no-mail"),
        pytest.param(b'Content-Type: text/plain; charset="a\x00b"\n\n\xff', id="nul-in-charset"),
        pytest.param(b"From: " + b"(" * 5000 + b"\n\nx", id="nested-comments"),
        pytest.param(b"Date: Mon, 1 Jan 2024 00:00:00 +99999999999999999999\n\nx", id="date"),
        pytest.param(b"Subject: " + b"a " * 200_000 + b"\n\nx", id="long-subject"),
        pytest.param(b"Received: from a by b; x\n" * 5000 + b"\nx", id="many-hops"),
    ],
)
def test_hostile_heads_give_a_short_answer_or_none(raw: bytes) -> None:
    head = letterhead(raw)
    assert head is None or (len(head.subject or "") <= MAX_TEXT and len(head.hops) <= MAX_HOPS)
