"""Replies of servers: their codes, their words, and the replies that they wrap."""

import pytest

from bounce_watch.parse.fields import read_recipient
from bounce_watch.parse.smtp_reply import Codes, find_codes, read_replies, replies_of


@pytest.mark.parametrize(
    ("text", "reply_code", "status"),
    [
        ("550 5.1.1 <a@b.example>... User unknown", "550", "5.1.1"),
        ("550-5.7.26 Unauthenticated mail\n550 5.7.26 see there", "550", "5.7.26"),
        ("#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##", "550", "5.1.1"),
        ("host #<host #5.7.1 smtp;530 5.7.1 Client was not authenticated> #SMTP#", "530", "5.7.1"),
        ("Remote host said: 550 no such user", "550", None),
        ("host mx.example[192.0.2.1] said: 550\n    5.1.1 unknown", "550", "5.1.1"),
        ("5.1.0 - Unknown address error 550-'5.2.2 <a@b.example>... full'", "550", "5.2.2"),
        ("Sorry, no host of that name. (#5.1.2)", None, "5.1.2"),
        ("550: 5.1.1 <a@b.example>... User Unknown", "550", "5.1.1"),
        ("ERROR_CODE :421, Host not reachable", "421", None),
        ("connect to 203.0.113.5[203.0.113.5]:25: timed out", None, None),
        ("Client host [4.2.2.1] blocked", None, None),
        ("version 5.7.1.2 of the filter", None, None),
        ("message size 552000 exceeds 550123 bytes", None, None),
        ("550\u00a05.1.1 unknown", "550", "5.1.1"),
        ("", None, None),
    ],
)
def test_codes_are_found(text: str, reply_code: str | None, status: str | None) -> None:
    codes = find_codes(text)
    assert (codes.reply_code, codes.status) == (reply_code, status)


def test_an_arrow_parts_the_outer_from_the_inner_reply() -> None:
    replies = read_replies("550 5.0.350 an error -> 550 too long")
    assert [hop.words for hop in replies.hops] == ["an error", "550 too long"]
    assert read_replies("550 a->b").inner is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("554 5.7.1 blocked using multi.uribl.example; 127.0.0.1 -> Query Refused", id="no code"),
        pytest.param("-> 550 5.1.1 unknown", id="nothing before"),
        pytest.param("550 5.1.1 unknown ->", id="nothing behind"),
        pytest.param("-> -> ->", id="arrows only"),
        pytest.param("550 5.1.1 unknown -> see the\n-> manual", id="two arrows"),
        pytest.param("550 5.1.1 unknown -> 5501", id="a longer number"),
    ],
)
def test_an_arrow_that_wraps_no_reply_is_a_part_of_the_words(text: str) -> None:
    assert read_replies(text).inner is None


@pytest.mark.parametrize(
    ("last", "reply_code", "status"),
    [("554 5.7.9 no such policy", "554", "5.7.9"), ("554 no such policy", "554", None)],
)
def test_code_and_words_of_three_hops_come_from_the_same_hop(
    last: str, reply_code: str, status: str | None
) -> None:
    """Two readers once took the code of the second hop and the words of the third."""
    text = f"550 5.7.350 Remote server returned spam -> 550 5.7.1 a relay refused it -> {last}"
    replies = read_replies(text)
    assert len(replies.hops) == 3
    assert (replies.outer.reply_code, replies.outer.status) == ("550", "5.7.350")
    assert replies.inner is not None
    assert (replies.inner.reply_code, replies.inner.status) == (reply_code, status)
    assert replies.inner.words.endswith("no such policy")
    assert "relay" not in replies.inner.words
    entry = read_recipient(final="bob@partner.example", diagnostic=text)
    assert (entry.reply_code, entry.status) == ("550", "5.7.350")
    assert (entry.remote_reply_code, entry.remote_status) == (reply_code, status)
    assert replies_of(entry) == replies


@pytest.mark.parametrize(
    ("text", "stated", "status"),
    [
        pytest.param("550 5.1.1 unknown", "5.0.0", "5.1.1", id="stated vaguely"),
        pytest.param("550 5.1.1 unknown", "5.7.1", "5.7.1", id="stated"),
        pytest.param("550 5.0.0 refused: (#5.1.1)", None, "5.1.1", id="closer behind"),
        pytest.param("550 5.0.0 refused", None, "5.0.0", id="vague only"),
        pytest.param("refused", "5.0.0", "5.0.0", id="nothing closer"),
    ],
)
def test_a_status_that_tells_its_class_only_gives_way(text: str, stated: str | None, status: str) -> None:
    assert read_replies(text, Codes(status=stated)).outer.status == status


def test_a_code_outside_the_range_of_the_standard_counts_at_the_start() -> None:
    """Charter answers `571`."""
    assert find_codes("571 message refused").reply_code == "571"
    assert find_codes("error: 571 message refused").reply_code is None
