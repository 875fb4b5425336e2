"""The catalogue file: what is refused, and what the shipped one holds."""

import tomllib
from pathlib import Path

import pytest

from bounce_watch.classify import CatalogueError, Confidence, load_catalogue
from bounce_watch.classify.catalogue.row import Row
from bounce_watch.model import Cause, Owner, Persistence, Side
from tests.classify.reports import CATALOGUE, CODES

ROW = """
[[code]]
code = "5.1.8"
title = "Blocked"
meaning = "The account is blocked."
cause = "sender_blocked"
owner = "security"
sender_steps = ["Call."]
admin_steps = ["Look."]
source = "https://learn.microsoft.com/"
checked = 2026-11-24
confidence = "documented"
"""
PLAYBOOKS = Path(__file__).parents[2] / "data" / "playbooks.toml"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param(('cause = "sender_blocked"', 'cause = "sender_bloked"'), "sender_bloked", id="cause"),
        pytest.param(('owner = "security"', 'owner = "boss"'), "boss", id="owner"),
        pytest.param(('code = "5.1.8"', 'code = "5.1.8"\npersistence = "hard"'), "hard", id="persistence"),
        pytest.param(('code = "5.1.8"', 'code = "5.1.8"\nside = "mine"'), "mine", id="side"),
        pytest.param(('code = "5.1.8"', 'code = "5.1"'), "5.1", id="code"),
        pytest.param(('code = "5.1.8"', 'code = "5.7.9-3"'), "ends before", id="range"),
        pytest.param(('code = "5.1.8"', 'kode = "5.1.8"'), "unknown key kode", id="unknown key"),
        pytest.param(('code = "5.1.8"\n', ""), "needs match and variant", id="no code and no phrase"),
        pytest.param(("checked = 2026-11-24", ""), "checked missing", id="no date"),
        pytest.param(("checked = 2026-11-24", 'checked = "2026-11-24"'), "checked", id="date as text"),
        pytest.param(('source = "https://learn.microsoft.com/"', ""), "source missing", id="no source"),
        pytest.param(("https://", "http://"), "https", id="source without https"),
        pytest.param(('sender_steps = ["Call."]', ""), "sender_steps", id="no steps"),
        pytest.param(('sender_steps = ["Call."]', 'sender_steps = "Call."'), "list", id="steps as text"),
        pytest.param(
            ('code = "5.1.8"', 'code = "5.1.8"\nplaybook = "Take over!"'), "playbook", id="playbook"
        ),
        pytest.param(('code = "5.1.8"', 'code = "5.1.8"\nmatch = ["a("]'), "does not compile", id="pattern"),
        pytest.param(("[[code]]", "[[code"), "not TOML", id="broken file"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_by_name(change: tuple[str, str], complaint: str) -> None:
    """Each message names what is wrong, so that the author of a site's file can repair it."""
    with pytest.raises(CatalogueError, match=complaint.replace("(", r"\(")):
        load_catalogue(ROW.replace(*change))


def test_the_same_code_and_variant_may_not_stand_twice() -> None:
    with pytest.raises(CatalogueError, match="twice"):
        load_catalogue(ROW + ROW)


def test_a_site_row_replaces_the_shipped_one_and_new_ones_are_tried_first() -> None:
    """A phrase that a site knows is tested before those that ship."""
    site = ROW.replace('"Blocked"', '"Ours"') + ROW.replace(
        'code = "5.1.8"', 'variant = "house"\nmatch = ["our own phrase"]'
    )
    rows = load_catalogue(ROW, site).rows
    assert [(row.name, row.title) for row in rows] == [("text/house", "Blocked"), ("5.1.8", "Ours")]


def test_patterns_of_a_site_that_only_compile_apart_are_refused_when_they_are_loaded() -> None:
    """What ships is compiled when first needed; what a site wrote may not wait for the first bounce."""
    site = ROW.replace('code = "5.1.8"', 'code = "5.1.8"\nmatch = ["(?P<a>no)", "(?P<a>never)"]')
    with pytest.raises(CatalogueError, match=r"site codes, 5\.1\.8: match does not compile"):
        load_catalogue(ROW, site)


def test_every_shipped_pattern_compiles() -> None:
    assert all(row.pattern.pattern and row.pattern.signs for row in CATALOGUE.rows if row.pattern)


def test_a_row_takes_the_advice_of_its_cause() -> None:
    advice = '[advice.sender_blocked]\nowner = "security"\nsender_steps = ["A"]\nadmin_steps = ["B"]\n'
    bare = ROW.replace('owner = "security"\nsender_steps = ["Call."]\nadmin_steps = ["Look."]\n', "")
    row = load_catalogue(advice + bare).rows[0]
    assert (row.owner, row.sender_steps, row.admin_steps) == (Owner.SECURITY, ("A",), ("B",))


def test_a_row_with_its_own_owner_keeps_it_on_both_sides() -> None:
    advice = '[advice.sender_blocked]\nowner = "nobody"\nowner_ours = "mail_admin"\n'
    assert load_catalogue(advice + ROW).rows[0].owner_ours is None


@pytest.mark.parametrize(
    ("code", "persistence"),
    [
        ("5.1.8", Persistence.PERMANENT),
        ("4.4.7", Persistence.TEMPORARY),
        ("x.1.1", Persistence.UNKNOWN),
    ],
)
def test_persistence_follows_the_class_unless_the_row_says_otherwise(
    code: str, persistence: Persistence
) -> None:
    assert load_catalogue(ROW.replace("5.1.8", code)).rows[0].persistence is persistence


def test_every_cause_but_unknown_can_be_decided() -> None:
    """A cause without a row could never be assigned."""
    assert {row.cause for row in CATALOGUE.rows} == set(Cause) - {Cause.UNKNOWN}


def test_every_playbook_named_is_there() -> None:
    names = {
        playbook["name"] for playbook in tomllib.loads(PLAYBOOKS.read_text(encoding="utf-8"))["playbook"]
    }
    assert {row.playbook for row in CATALOGUE.rows if row.playbook} <= names


@pytest.mark.parametrize("row", CATALOGUE.rows, ids=lambda row: row.name)
def test_a_shipped_row_is_written_for_people(row: Row) -> None:
    """Titles are short, meanings are one sentence, and every row has a first step."""
    assert len(row.title) <= 60
    assert row.meaning.endswith(".")
    assert row.meaning.count(". ") == 0
    assert len(row.meaning) <= 200
    assert all(len(step) <= 220 for step in (*row.sender_steps, *row.admin_steps))


def test_the_advice_table_speaks_of_every_cause() -> None:
    assert set(tomllib.loads(CODES)["advice"]) == {cause.value for cause in Cause}


def test_only_rows_that_we_could_not_find_documented_are_marked_so() -> None:
    """What other servers mean by Exchange Online's codes is documented nowhere."""
    rows = [row for row in CATALOGUE.rows if row.side is not Side.THEIRS]
    inferred = {row.code for row in rows if row.confidence is Confidence.INFERRED}
    assert inferred <= {"5.1.350", "5.4.301-319", "4.4.300-319", "5.7.54", "5.7.128", "5.7.363-368"}
