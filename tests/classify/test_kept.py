"""What is kept of former replies is bounded, and changes no answer."""

from bounce_watch.classify import cause, refusal_details, smtp_reply
from bounce_watch.unwrap import provenance
from tests.classify.reports import refused

KEPT = (smtp_reply._hear, cause._judge, refusal_details._known)
MOST = 1024


def test_a_flood_of_different_replies_is_not_kept() -> None:
    for number in range(MOST + 200):
        refused(f"550 5.1.1 number {number} is not one of our users")
    assert [kept.cache_info().currsize for kept in KEPT] == [MOST, MOST, MOST]
    assert provenance._is_a_mail_system.cache_info().maxsize == MOST


def test_a_kept_reply_is_judged_as_a_new_one() -> None:
    text = "550 5.7.1 Service unavailable, Client host [192.0.2.9] blocked using Spamhaus"
    for kept in KEPT:
        kept.cache_clear()
    assert refused(text) == refused(text)
    assert all(kept.cache_info().hits for kept in KEPT)
