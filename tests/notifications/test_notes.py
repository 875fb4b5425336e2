"""Notes: what one case calls for stands in the letter, in few words, and nothing unchecked with it."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bounce_watch.model import Bounce, Cause, Details, Owner, Side
from bounce_watch.notifications import template_samples
from bounce_watch.notifications.composer import Composer
from bounce_watch.notifications.guidance.suggestions import PROVIDERS, find_entry_name, find_suggestion
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.notifications.template_check import MAX_STEPS, MAX_WORDS, body_words

MB = 1024**2


def bounce(cause: Cause, recipient: str = "lena@fabrikam.example", **changes: Any) -> Bounce:
    return replace(template_samples.bounce(cause, Owner.SENDER, recipient=recipient), **changes)


def text(composer: Composer, *bounces: Bounce, **facts: Any) -> str:
    return " ".join(composer.reply(replace(template_samples.reply_facts(*bounces), **facts)).text.split())


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("cause", Cause)
def test_a_letter_with_notes_stays_short(composer: Composer, cause: Cause, language: str) -> None:
    for side in Side:
        for facts in template_samples.noted_facts(cause, side, language):
            letter = composer.reply(facts)
            assert body_words(letter.text) < MAX_WORDS
            assert 1 <= len(re.findall(r"(?m)^\d\. ", letter.text)) <= MAX_STEPS
            assert not re.search(r"(?i)<a\b|href=|\{\{|\bNone\b", letter.html.partition("</style>")[2])


@pytest.mark.parametrize(
    ("recipient", "cause", "meant"),
    [
        pytest.param("jo@gmial.com", Cause.DOMAIN_NOT_FOUND, "jo@gmail.com", id="letters exchanged"),
        pytest.param("jo@gmai.com", Cause.MESSAGE_EXPIRED, "jo@gmail.com", id="letter missing"),
        pytest.param("jo@hotmaill.com", Cause.RECIPIENT_UNKNOWN, "jo@hotmail.com", id="letter too many"),
        pytest.param("jo@fabrikan.example", Cause.DOMAIN_NOT_FOUND, "jo@fabrikam.example", id="known domain"),
        pytest.param("Jo@FABRIKAN.example", Cause.DOMAIN_NOT_FOUND, "Jo@fabrikam.example", id="case"),
        pytest.param(
            "lena.brg@adatum.example", Cause.RECIPIENT_UNKNOWN, "lena.berg@adatum.example", id="name"
        ),
        pytest.param("lena.brg@adatum.example", Cause.MAILBOX_FULL, None, id="the address exists"),
        pytest.param("lena.brg@litware.example", Cause.RECIPIENT_UNKNOWN, None, id="known elsewhere only"),
        pytest.param("lena.berg@adatum.example", Cause.RECIPIENT_UNKNOWN, None, id="known itself"),
        pytest.param("jo@gmail.com", Cause.RECIPIENT_UNKNOWN, None, id="the provider itself"),
        pytest.param("abc@adatum.example", Cause.RECIPIENT_UNKNOWN, None, id="too short"),
        pytest.param("jo@gmxxl.com", Cause.DOMAIN_NOT_FOUND, None, id="two slips"),
        pytest.param("jo@gmial.com\nBcc: x@y.example", Cause.DOMAIN_NOT_FOUND, None, id="tricks"),
    ],
)
def test_a_likely_typing_error_is_found(recipient: str, cause: Cause, meant: str | None) -> None:
    addresses = ("abd@adatum.example", "lena.berg@adatum.example")
    assert find_suggestion(bounce(cause, recipient), addresses, ("fabrikam.example",)) == meant


def test_no_provider_is_taken_for_a_typing_error_of_another() -> None:
    for domain in PROVIDERS:
        assert find_suggestion(bounce(Cause.DOMAIN_NOT_FOUND, f"jo@{domain}"), (), ()) is None


def test_an_unusual_known_address_is_not_suggested() -> None:
    known = ("lena.berg<x>@adatum.example",)
    assert find_suggestion(bounce(Cause.RECIPIENT_UNKNOWN, "lena.berg<y>@adatum.example"), known, ()) is None


def test_a_suggestion_stands_first(composer: Composer) -> None:
    said = text(composer, bounce(Cause.DOMAIN_NOT_FOUND, "jo@gmial.com"))
    assert "1. Check whether you meant jo@gmail.com. 2." in said


def test_several_suggestions_name_what_they_are_for(composer: Composer) -> None:
    said = text(
        composer,
        bounce(Cause.DOMAIN_NOT_FOUND, "jo@gmial.com"),
        bounce(Cause.DOMAIN_NOT_FOUND, "al@fabrikan.example"),
        known_domains=("fabrikam.example",),
    )
    assert (
        "1. Check whether you meant jo@gmail.com instead of jo@gmial.com, al@fabrikam.example instead of "
        "al@fabrikan.example. 2." in said
    )


def test_an_old_entry_is_named_as_outlook_shows_it(composer: Composer) -> None:
    stale = bounce(
        Cause.RECIPIENT_UNKNOWN,
        "IMCEAEX-x@contoso.example",
        recipient_decoded=f"X500:/O=EXCHANGELABS/OU=X/CN=RECIPIENTS/CN={'0A' * 16}-LENA BERG",
    )
    said = text(composer, stale)
    assert "delete the old suggestion “LENA BERG” (select the ×" in said
    assert "didn't reach LENA BERG: the address doesn't exist" in said


@pytest.mark.parametrize(
    ("decoded", "name"),
    [
        pytest.param(None, None, id="no entry"),
        pytest.param("X500:/O=A/OU=B", None, id="no name"),
        pytest.param(f"X500:/O=A/CN={'0A' * 16}", None, id="only a number"),
        pytest.param("X500:/O=A/CN=see http://evil.example", "evil[.]example", id="a link"),
    ],
)
def test_the_name_of_an_old_entry(decoded: str | None, name: str | None) -> None:
    assert find_entry_name(bounce(Cause.RECIPIENT_UNKNOWN, recipient_decoded=decoded)) in (name, None)


def test_sizes_are_set_against_each_other(composer: Composer) -> None:
    large = bounce(Cause.MESSAGE_TOO_LARGE, details=Details(size_limit=20 * MB, message_size=34 * MB))
    said = text(composer, large)
    assert "Your email is 34 MB. The recipient's mail system accepts at most 20 MB." in said
    assert "send a link." in said


@pytest.mark.parametrize(
    ("size", "shown"),
    [(None, ""), (20 * MB, "20 MB"), (20 * MB + 9, "20 MB"), (5_242_880, "5 MB"), (1_500_000, "1.4 MB")],
)
def test_a_size_is_written_short(size: int | None, shown: str) -> None:
    assert Templates([]).in_best_language(
        ["en"], lambda translator: translator.megabytes(size)
    ) == shown.replace(" ", "\u00a0")


def test_a_group_for_chosen_senders_is_named_as_one(composer: Composer) -> None:
    said = text(composer, bounce(Cause.NOT_AUTHORISED, entry="5.7.133"))
    assert (
        "1. Write to or call one of its members: this group accepts email only from approved senders." in said
    )


def test_the_list_is_named(composer: Composer) -> None:
    said = text(composer, bounce(Cause.BLOCKED_REPUTATION, details=Details(blocklist="Spamhaus")))
    assert "a spam blocklist (Spamhaus)" in said


def test_an_open_incident_is_known_since_its_hour(composer: Composer) -> None:
    since = {"incident": "INC-7", "incident_since": template_samples.NOW - timedelta(minutes=20)}
    expired = text(composer, bounce(Cause.MESSAGE_EXPIRED), **since)
    assert "Not yet. Our IT team has been working on it since 06:40 (INC-7)." in expired
    spf = text(composer, bounce(Cause.SPF_FAILED), **since)
    assert "Not yet. This problem has been known since 06:40." in spf
    assert spf.count("INC-7") == 1
    older = text(
        composer,
        bounce(Cause.SPF_FAILED),
        incident="INC-7",
        incident_since=template_samples.NOW - timedelta(days=2),
    )
    assert "known since Sun, Nov 22, 2026, 07:00" in older


def test_the_wording_grows_firmer(composer: Composer) -> None:
    full = bounce(Cause.MAILBOX_FULL)
    assert "Yes, from tomorrow." in text(composer, full)
    assert "Only after a change. An earlier email to this address wasn't delivered either." in text(
        composer, full, earlier_bounces=1
    )
    third = text(composer, full, earlier_bounces=2)
    assert "No. 3 emails to this address weren't delivered. Contact support." in third


def test_a_blocked_account_is_never_told_anything_but_to_call(composer: Composer) -> None:
    blocked = bounce(Cause.SENDER_BLOCKED)
    said = text(composer, blocked, earlier_bounces=5, incident="INC-7")
    assert said == text(composer, blocked, incident="INC-7")
