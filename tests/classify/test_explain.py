"""Codes and pasted replies explained."""

import pytest

from bounce_watch.classify import explain
from bounce_watch.model import Cause, Certainty, Owner, Persistence, Side
from tests.classify.reports import CATALOGUE


def test_a_bare_code_gives_all_its_meanings_the_usual_first() -> None:
    names = [found.name for found in explain(CATALOGUE, "5.2.2")]
    assert names == ["5.2.2/mailbox-full", "5.2.2/submission-quota", "5.2.2/remote-limit"]


def test_a_code_with_a_reply_code_before_it_is_read_as_the_code() -> None:
    first = explain(CATALOGUE, " 550 5.7.23 ")[0]
    assert (first.name, first.reply_code, first.status) == ("5.7.23", "550", "5.7.23")


def test_a_pasted_reply_gives_the_decided_meaning_first_and_says_why() -> None:
    found = explain(CATALOGUE, "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)")
    assert found[0].name == "5.4.1/dbeb"
    assert "Recipient address rejected: Access denied" in found[0].why
    assert (found[0].reply_code, found[0].status, found[0].as_number) == ("550", "5.4.1", "201806281")
    assert {other.name for other in found[1:]} == {"5.4.1/relay-denied", "x.4.1/no-answer"}


def test_a_wrapped_reply_is_explained_by_its_inner_part() -> None:
    first = explain(CATALOGUE, "550 5.1.351 Remote server returned unknown recipient -> 552 5.2.2 full")[0]
    assert (first.cause, first.side) == (Cause.MAILBOX_FULL, Side.THEIRS)


def test_a_phrase_without_a_code_is_explained() -> None:
    found = explain(CATALOGUE, "sorry, no mailbox here by that name")
    assert [one.cause for one in found] == [Cause.RECIPIENT_UNKNOWN]


@pytest.mark.parametrize(
    ("code", "name", "persistence"),
    [
        ("5.7.640", "5.7.606-649", Persistence.PERMANENT),
        ("4.7.900", "x.7.x", Persistence.TEMPORARY),
        ("5.7.901", "5.7.900-999", Persistence.PERMANENT),
        ("552", "552", Persistence.PERMANENT),
        ("4.4.7", "4.4.7", Persistence.PERMANENT),
    ],
)
def test_a_code_without_its_own_row_gets_the_range_or_the_group(
    code: str, name: str, persistence: Persistence
) -> None:
    first = explain(CATALOGUE, code)[0]
    assert (first.name, first.persistence) == (name, persistence)


@pytest.mark.parametrize("text", ["", "5.9.9", "hello", "999", "->", "\x00"])
def test_what_is_not_known_gives_nothing(text: str) -> None:
    assert explain(CATALOGUE, text) == ()


def test_who_must_act_is_told_for_both_sides() -> None:
    first = explain(CATALOGUE, "5.7.133")[0]
    assert (first.owner, first.owner_ours) == (Owner.RECIPIENT_ADMIN, Owner.MAIL_ADMIN)


def test_an_explanation_says_what_to_do_and_where_it_comes_from() -> None:
    first = explain(CATALOGUE, "5.1.8")[0]
    assert first.playbook == "account_blocked"
    assert any("Restricted entities" in step for step in first.admin_steps)
    assert first.sender_steps[0].startswith("Call your mail administrators")
    assert first.source.startswith("https://learn.microsoft.com/")
    assert first.checked.year >= 2026


def test_a_reply_is_explained_with_all_that_speaks_for_each_cause() -> None:
    first = explain(CATALOGUE, "552 5.2.2 Mailbox full, client blocked")[0]
    assert first.certainty is Certainty.TOLD
    assert [one.cause for one in first.speaks][:2] == [Cause.MAILBOX_FULL, Cause.BLOCKED_REPUTATION]
    assert '5.4 "mailbox ... full"' in first.speaks[0].votes
    assert any(vote.endswith("the code") for vote in first.speaks[0].votes)
    assert first.speaks[0].points > first.speaks[1].points


def test_a_code_alone_is_not_weighed() -> None:
    first = explain(CATALOGUE, "5.7.23")[0]
    assert (first.certainty, first.speaks) == (None, ())
