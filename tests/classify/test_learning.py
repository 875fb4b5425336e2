"""Replies that are not understood: masked, in groups, and taught without breaking what is judged right."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import count, islice, product
from typing import Any

import pytest

from bounce_watch.classify import Catalogue, judge_reply, load_catalogue
from bounce_watch.classify.learning.cases import Case, read_cases, read_goldens
from bounce_watch.classify.learning.grouping import Refusal, group
from bounce_watch.classify.learning.masking import mask, phrases
from bounce_watch.classify.learning.teaching import Lesson, Refused, Taught, rows_for, teach
from bounce_watch.cli.learn.site_file import with_row
from bounce_watch.model import Cause, Certainty, Owner, Side
from bounce_watch.shipped_files import catalogue_text, goldens_text
from tests.classify.reports import CATALOGUE, refused
from tests.classify.test_replies import SHARED, shared

GOLDENS = read_goldens(goldens_text())
DAY = date(2026, 11, 30)

MASKED = [
    pytest.param(
        "550 5.1.1 <Bob.B@partner.example>: no such person at mx1.partner.example [192.0.2.7]",
        "550 5.1.1 <address>: no such person at <host> [<ip>]",
        id="address, host and IP",
    ),
    pytest.param(
        "554-5.7.1 queued as 4F2A1C0 (id=x81-20) see https://partner.example/?ip=192.0.2.7 for 12345 more",
        "554-5.7.1 queued as <id> <setting> see <url> for <number> more",
        id="ids, settings, numbers and links",
    ),
    pytest.param("550 2001:db8::7 is listed", "550 <ip> is listed", id="IPv6"),
    pytest.param("550 <bob> is gone", "550 <address> is gone", id="a name in angle brackets"),
    pytest.param(
        "554 5.2.0 STOREDRV.Deliver.Exception:Quota", "554 5.2.0 STOREDRV.Deliver.Exception:Quota",
        id="a fault of Exchange",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "masked"), MASKED)
def test_what_names_somebody_or_differs_is_masked(reply: str, masked: str) -> None:
    assert mask(reply) == masked


def test_the_name_of_the_recipient_is_masked_without_its_domain() -> None:
    assert mask("550 user bob.b unknown", "bob.b") == "550 user <address> unknown"


def test_phrases_hold_no_placeholder_and_the_first_long_one_leads() -> None:
    masked = mask(
        "550 5.7.1 <b@partner.example>: the parcel office is closed. Please read https://x.example now"
    )
    assert phrases(masked)[0] == "the parcel office is closed"
    assert not any("<" in phrase for phrase in phrases(masked))


def refusals(*replies: str, senders: int = 1) -> Iterator[Refusal]:
    numbers = count(1)
    for reply in replies:
        for sender in range(senders):
            bounce = replace(refused(reply), sender=f"s{sender}@contoso.example")
            yield Refusal(next(numbers), bounce)


def test_the_group_that_hits_most_people_comes_first_with_three_examples() -> None:
    often = (f"550 the lodge of mx{n}.partner.example sleeps, case {n}" for n in range(50))
    found = group([*refusals(*often), *refusals("554 the mill stands still <b@partner.example>", senders=4)])
    assert [(len(one.people), one.bounces, len(one.examples)) for one in found] == [(4, 4, 3), (1, 50, 3)]
    assert found[1].masked == "550 the lodge of <host> sleeps, case <number>"


def test_a_bare_code_is_in_no_group() -> None:
    assert not group(refusals("550 5.7.1", "554", "550 5.7.1 <b@partner.example>"))


def test_a_row_for_a_group_is_accepted_by_a_site() -> None:
    """Whatever the servers wrote: quotes, backslashes, other scripts."""
    replies = (
        *(case.reply for case in GOLDENS[::4]),
        '550 l\'"ufficio" \\ è chiuso',
        "550 邮局今天关门了",
        "550 'a'''b'",
    )
    made = group(refusals(*replies))
    text = ""
    for one in made:
        text = with_row(text, next(rows_for(Lesson(one.masked, Cause.MAIL_LOOP), DAY))[1])
    loaded = load_catalogue(catalogue_text(), text).rows
    assert sum((row.variant or "").startswith("taught-") for row in loaded) >= len(made) - 3 > 50


@shared
@pytest.mark.corpus
def test_few_groups_cover_what_is_not_understood_without_twenty_systems() -> None:
    """All rows of providers are off, and all but five families of codes."""
    rows = (row for row in CATALOGUE.rows if not (row.variant or "").startswith("provider-"))
    knowledge = CATALOGUE.knowledge._replace(families=CATALOGUE.knowledge.families[20:])
    blind = Catalogue(rows, knowledge)
    lost = []
    for number, one in enumerate(map(json.loads, SHARED.read_text(encoding="utf-8").splitlines())):
        found = judge_reply(one["reply"], blind, Side(one["side"]), one.get("remote_mta")).judgement
        if found.cause is Cause.UNKNOWN or found.certainty is Certainty.NOT_TOLD:
            lost.append(Refusal(number, replace(refused(one["reply"]), sender=f"s{number}@contoso.example")))
    groups = group(lost)
    covered = sum(one.bounces for one in groups[:25])
    print(f"{len(lost)} not understood, {len(groups)} groups, 25 cover {covered / len(lost):.0%}")
    assert covered >= 0.9 * len(lost)


def load(site: str, row: dict[str, Any]) -> Catalogue:
    return load_catalogue(catalogue_text(), with_row(site, row))


def try_lesson(lesson: Lesson, site: str = "") -> Taught | Refused:
    before = load_catalogue(catalogue_text(), site or None)
    return teach(lesson, before, partial(load, site), [*read_cases(site), *GOLDENS], DAY)


WHO = ("The parcel office", "Our gatekeeper", "This lodge", "The night desk", "Depot seven",
       "The harbour relay", "The mill", "Section nine", "The archive", "Unit four")  # fmt: skip
WHAT = {
    "is on strike today": Cause.REMOTE_SYSTEM_ERROR,
    "keeps its shutters down": Cause.RECIPIENT_REJECTED,
    "has moved to the hill": Cause.RECIPIENT_MOVED,
    "takes letters on paper only": Cause.DOMAIN_ACCEPTS_NO_MAIL,
    "wants a lighter parcel": Cause.MESSAGE_TOO_LARGE,
    "knows you not": Cause.RECIPIENT_UNKNOWN,
    "has no shelf left for you": Cause.MAILBOX_FULL,
    "sees a wolf in your parcel": Cause.VIRUS_DETECTED,
    "asks for your papers": Cause.AUTHENTICATION_FAILED,
    "sleeps until dawn": Cause.GREYLISTED,
}
CODES = ("550 5.7.1", "554", "451 4.7.1", "550", "553 5.1.2", "554 5.2.0", "450")


def lessons() -> Iterator[Lesson]:
    for number, (who, (what, cause)) in enumerate(product(WHO, WHAT.items())):
        reply = f"{CODES[number % 7]} <b{number}@partner.example>: {who} {what} (ref {number}X{number}Q77)"
        yield Lesson(reply, cause, spoken_by=Side.THEIRS)


def wrong_lessons() -> Iterator[Lesson]:
    """Yield every sixteenth golden with a cause that is wrong for it."""
    for case in GOLDENS[10::16]:
        cause = next(one for one in (Cause.MAIL_LOOP, Cause.VIRUS_DETECTED) if one not in case.causes)
        yield Lesson(case.reply, cause, spoken_by=case.side)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [pytest.param(4, 2, id="a few"), pytest.param(100, 20, id="many", marks=pytest.mark.proof)],
)
@pytest.mark.timeout(900)
def test_each_lesson_is_judged_right_then_and_breaks_no_golden(right: int, wrong: int) -> None:
    """One after another in one file; what would break a golden is refused with its name."""
    site = ""
    chosen = list(lessons())[:: 100 // right]
    for lesson in chosen:
        found = try_lesson(lesson, site)
        assert isinstance(found, Taught), lesson
        site = with_row(site, found.row, lesson.case)
    after = load_catalogue(catalogue_text(), site)
    assert all(judge_reply(one.reply, after, Side.THEIRS).judgement.cause is one.cause for one in chosen)
    assert all(case.is_right(after) for case in GOLDENS if case.is_right(CATALOGUE))
    assert all(case.is_right(after) for case in read_cases(site))
    for lesson in islice(wrong_lessons(), wrong):
        found = try_lesson(lesson, site)
        assert isinstance(found, Refused), lesson
        assert found.broken in {case.name for case in GOLDENS}


def test_a_site_case_that_would_break_is_named() -> None:
    lesson = next(lessons())
    found = try_lesson(lesson)
    assert isinstance(found, Taught)
    site = with_row("", found.row, lesson.case._replace(name="the office"))
    other = lesson._replace(reply=lesson.reply.replace("Q77", "Q78"), cause=Cause.MAIL_LOOP)
    assert try_lesson(other, site) == Refused("the office")


TEACH: Callable[..., Lesson] = partial(Lesson, "550 5.7.1 the mill stands still", Cause.MAILBOX_FULL)


def test_a_row_of_a_provider_counts_only_where_it_speaks() -> None:
    found = try_lesson(TEACH(provider="partner.example", remote_mta="mx1.partner.example"))
    assert isinstance(found, Taught)

    def cause(host: str) -> Cause:
        return judge_reply(
            "550 5.7.1 the mill stands still", found.catalogue, Side.THEIRS, host
        ).judgement.cause

    assert cause("mx1.partner.example") is Cause.MAILBOX_FULL
    assert cause("mx.other.example") is not Cause.MAILBOX_FULL


def test_owner_and_side_are_in_the_row() -> None:
    found = try_lesson(TEACH(owner=Owner.SECURITY, side=Side.THEIRS, spoken_by=Side.THEIRS))
    assert isinstance(found, Taught)
    theirs, ours = (
        judge_reply("550 5.7.1 the mill stands still", found.catalogue, side).judgement
        for side in (Side.THEIRS, Side.OURS)
    )
    assert (theirs.cause, theirs.owner) == (Cause.MAILBOX_FULL, Owner.SECURITY)
    assert ours.cause is not Cause.MAILBOX_FULL


def test_nobody_teaches_that_a_partner_blocked_our_account() -> None:
    """Only Exchange Online decides about our accounts, whatever a site's row says."""
    assert try_lesson(TEACH()._replace(cause=Cause.SENDER_BLOCKED, spoken_by=Side.THEIRS)) == Refused(None)


def test_the_shipped_goldens_are_right_but_a_few_and_hold_what_exchange_online_says() -> None:
    assert sum(case.is_right(CATALOGUE) for case in GOLDENS) >= 0.98 * len(GOLDENS)
    ours = [case for case in GOLDENS if case.side is Side.OURS]
    assert len(ours) > 10
    assert all(case.is_right(CATALOGUE) for case in ours)


def test_a_case_holds_no_address() -> None:
    case = Lesson("550 <Bob.B@partner.example> bob.b is away", Cause.MAILBOX_FULL, names=("Bob.B",)).case
    assert case == Case(
        "taught: 550 <someone@example.com> someone is away",
        "550 <someone@example.com> someone is away",
        frozenset({Cause.MAILBOX_FULL}),
        None,
    )
