"""Replies as servers write them: how many are judged right, with and without what we know of one system."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from bounce_watch.classify import Catalogue, judge_reply
from bounce_watch.classify.learning.cases import read_goldens
from bounce_watch.model import Cause, Certainty, Owner, Side
from bounce_watch.model.dead_address import VERDICTS
from bounce_watch.shipped_files import goldens_text
from tests.classify.reports import CATALOGUE

SHARED = Path(__file__).parents[3] / "shared" / "cases" / "replies.jsonl"
shared = pytest.mark.skipif(not SHARED.is_file(), reason="the collected replies are not on this machine")


class Reply(NamedTuple):
    text: str
    causes: frozenset[str]
    side: Side = Side.THEIRS
    host: str | None = None


class Score(NamedTuple):
    """Shares of all replies, and the share of right ones among those told as `told`."""

    right: float
    wrong: float
    told_right: float


def own_replies() -> list[Reply]:
    """Return the shipped replies, written down from memory, each with the causes that are right."""
    return [
        Reply(case.reply, frozenset(case.causes), case.side or Side.THEIRS)
        for case in read_goldens(goldens_text())
    ]


def collected() -> list[Reply]:
    lines = map(json.loads, SHARED.read_text(encoding="utf-8").splitlines())
    return [
        Reply(one["reply"], frozenset(one["causes"]), Side(one["side"]), one.get("remote_mta"))
        for one in lines
    ]


def score(catalogue: Catalogue, replies: Iterable[Reply]) -> Score:
    judged = [(one, judge_reply(one.text, catalogue, one.side, one.host).judgement) for one in replies]
    right = [found for one, found in judged if found.cause in one.causes]
    unknown = sum(found.cause is Cause.UNKNOWN and found.cause not in one.causes for one, found in judged)
    told = [found.cause in one.causes for one, found in judged if found.certainty is Certainty.TOLD]
    return Score(
        right=len(right) / len(judged),
        wrong=1 - (len(right) + unknown) / len(judged),
        told_right=sum(told) / max(len(told), 1),
    )


def test_replies_written_from_memory_are_judged_right() -> None:
    found = score(CATALOGUE, own_replies())
    print(f"own replies: {found}")
    assert found.right >= 0.95
    assert found.wrong <= 0.03
    assert found.told_right >= 0.97


@shared
@pytest.mark.corpus
def test_collected_replies_are_judged_right() -> None:
    found = score(CATALOGUE, collected())
    print(f"collected replies: {found}")
    assert found.right >= 0.95
    assert found.wrong <= 0.03
    assert found.told_right >= 0.97


def without(name: str) -> Catalogue:
    """Return the catalogue without a provider's family of codes and without all rows of providers."""
    rows = (row for row in CATALOGUE.rows if not (row.variant or "").startswith("provider-"))
    families = tuple(family for family in CATALOGUE.knowledge.families if family.name != name)
    return Catalogue(rows, CATALOGUE.knowledge._replace(families=families))


def test_a_system_that_we_know_nothing_of_is_judged_by_its_words() -> None:
    """Each system's replies are judged without its own codes, so a new one is read as well as an old one."""
    replies = own_replies() + (collected() if SHARED.is_file() else [])
    spoken = [(one, f"{one.text} {one.host or ''}") for one in replies]
    right = total = 0
    for family in CATALOGUE.knowledge.families:
        its = [one for one, words in spoken if family.speaks_in(words)]
        if its:
            share = score(without(family.name), its).right
            right += round(share * len(its))
            total += len(its)
            print(f"without {family.name}: {share:.0%} of {len(its)}")
    print(f"without a system's own codes: {right / total:.1%} of {total}")
    assert right / total >= 0.85


@pytest.mark.corpus
@shared
def test_no_reply_about_us_makes_an_address_dead() -> None:
    """Each reply is labelled with the causes that are right; of those of our side none may count."""
    wrong, dead = [], 0
    for one in collected():
        found = judge_reply(one.text, CATALOGUE, one.side, one.host).judgement
        about_it = found.cause in VERDICTS and found.certainty is not Certainty.NOT_TOLD
        if about_it and found.owner not in (Owner.MAIL_ADMIN, Owner.SECURITY):
            dead += 1
            wrong += [] if one.causes & set(VERDICTS) else [(one.text, sorted(one.causes), found.cause)]
    print(f"{dead} replies say that an address is dead, {len(wrong)} of them wrongly")
    assert dead > 50
    assert wrong == []
