"""The tables beside the rows: words, statements, standing phrases, providers; ours and a site's own."""

import pytest

from bounce_watch.classify import CatalogueError, judge_reply, load_catalogue
from bounce_watch.model import Cause, Side
from bounce_watch.shipped_files import catalogue_text
from tests.classify.reports import CATALOGUE

ODD = "550 the pigeonhole is bunged up"
SITE_WORDS = """
[word.recipient]
xx = ["pigeonhole*"]

[word.full]
xx = ["bunged up"]
"""
SITE_STATEMENT = """
[word.teapot]
xx = ["teapot"]

[[statement]]
cause = "content_rejected"
all = ["teapot", "denied"]
within = 4
weight = "strong"
"""
SITE_PROVIDER = """
[provider.house]
source = "https://postmaster.house.example/"
checked = 2026-11-29
confidence = "documented"
signs = ['house\\.example']
statuses = { "5.7.1" = "rate_limited" }

[provider.house.codes]
greylisted = ['\\bHX-\\d{1,3}\\b']
"""


def cause_of(text: str, site: str | None = None, host: str | None = None) -> Cause:
    catalogue = load_catalogue(catalogue_text(), site) if site else CATALOGUE
    return judge_reply(text, catalogue, Side.THEIRS, host).judgement.cause


def test_a_site_adds_words_to_a_concept() -> None:
    assert cause_of(ODD) is Cause.UNKNOWN
    assert cause_of(ODD, SITE_WORDS) is Cause.MAILBOX_FULL


def test_a_site_adds_a_concept_and_what_it_means() -> None:
    assert cause_of("550 no teapot allowed: denied", SITE_STATEMENT) is Cause.CONTENT_REJECTED


def test_a_provider_s_codes_count_only_when_it_speaks() -> None:
    assert cause_of("550 HX-12 see postmaster", SITE_PROVIDER) is Cause.UNKNOWN
    assert cause_of("550 HX-12 see postmaster", SITE_PROVIDER, "mx.house.example") is Cause.GREYLISTED
    assert cause_of("550 HX-12 see https://house.example/", SITE_PROVIDER) is Cause.GREYLISTED
    assert cause_of("550 5.7.1 no", SITE_PROVIDER, "mx.house.example") is Cause.RATE_LIMITED


def test_a_site_s_row_weighs_more_than_ours() -> None:
    """Two phrases of the same weight match; the site's wins."""
    row = """
[[code]]
variant = "house"
match = ["mailbox is full of joy"]
title = "Joy"
meaning = "It is joy."
cause = "greylisted"
weight = "strong"
sender_steps = ["Wait."]
admin_steps = ["Wait."]
source = "https://house.example/"
checked = 2026-11-29
confidence = "observed"
"""
    assert cause_of("550 mailbox is full of joy") is Cause.MAILBOX_FULL
    assert cause_of("550 mailbox is full of joy", row) is Cause.GREYLISTED


@pytest.mark.parametrize(
    ("site", "complaint"),
    [
        pytest.param('[word.full]\nxx = ["*"]', "is no word", id="a word of nothing"),
        pytest.param('[[statement]]\ncause = "mailbox_full"\nall = ["fool"]', "'fool'", id="concept"),
        pytest.param('[[statement]]\ncause = "full"\nall = ["full"]', "'full' is no cause", id="cause"),
        pytest.param(
            '[[statement]]\ncause = "mailbox_full"\nall = ["full"]\nweight = "7"', "hint, wide", id="weight"
        ),
        pytest.param('[[statement]]\ncause = "mailbox_full"\nal = ["full"]', "unknown key al", id="key"),
        pytest.param(SITE_PROVIDER.replace("https", "http", 1), "https source", id="source"),
        pytest.param(SITE_PROVIDER.replace("documented", "guessed"), "confidence", id="confidence"),
        pytest.param(SITE_PROVIDER.replace(r"HX-\d{1,3}", r"(HX\d+)+"), "without a bound", id="slow pattern"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(site: str, complaint: str) -> None:
    with pytest.raises(CatalogueError, match=complaint):
        load_catalogue(catalogue_text(), site)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        pytest.param(
            "454 message could not be scanned for viruses", Cause.REMOTE_SYSTEM_ERROR, id="no virus"
        ),
        pytest.param("450 mailbox temporarily unavailable", Cause.REMOTE_SYSTEM_ERROR, id="not unknown"),
        pytest.param("550 mailbox full; if you think this is spam, call us", Cause.MAILBOX_FULL, id="advice"),
        pytest.param(
            "550 user unknown, see https://x.example/spam/blocked", Cause.RECIPIENT_UNKNOWN, id="URL"
        ),
        pytest.param("550 user unknown at spam-blocked.example.com", Cause.RECIPIENT_UNKNOWN, id="host name"),
        pytest.param("550 link in the message is blocked", Cause.SPAM_DETECTED, id="a blocked link"),
        pytest.param(
            "550 your address 192.0.2.1 is blocked", Cause.BLOCKED_REPUTATION, id="a blocked address"
        ),
        pytest.param("550 the mailbox is blocked", Cause.MAILBOX_DISABLED, id="a blocked mailbox"),
    ],
)
def test_words_count_for_what_they_speak_of(text: str, cause: Cause) -> None:
    assert cause_of(text) is cause


@pytest.mark.parametrize(
    "unit", ["not ", "a=", "1.1.1.1 ", "a.b", "mailbox full ", "满", "é", "(", "://x ", "\u0300"]
)
def test_a_hostile_text_of_any_length_is_judged(unit: str) -> None:
    """Only the first 2,000 characters are read; no pattern or list grows with the rest."""
    assert cause_of(f"550 {unit * 30_000}") in Cause
