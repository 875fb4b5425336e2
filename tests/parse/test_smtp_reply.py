"""Codes in the words of servers."""

import pytest

from bounce_watch.parse.smtp_reply import find_codes, split_wrapped


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
        ("", None, None),
    ],
)
def test_codes_are_found(text: str, reply_code: str | None, status: str | None) -> None:
    codes = find_codes(text)
    assert (codes.reply_code, codes.status) == (reply_code, status)


def test_an_arrow_parts_the_outer_from_the_inner_reply() -> None:
    assert split_wrapped("550 5.0.350 an error -> 550 too long") == ("550 5.0.350 an error", "550 too long")
    assert split_wrapped("550 a->b") == ("550 a->b", None)
