"""The page that follows the guide is made from the texts, so it claims nothing that is not there."""

import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from bounce_watch.classify import explain
from bounce_watch.notifications.alert.playbooks import shipped_playbooks
from bounce_watch.notifications.habits import shipped_habits
from bounce_watch.sandbox.jobs import shipped_catalogue

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

coverage = import_module("reference.coverage")

CATALOGUE = shipped_catalogue()
SECTIONS = {table["title"]: table["rows"] for table in tomllib.loads(coverage.TABLE.read_text())["section"]}
CLAIMS = [claim for rows in SECTIONS.values() for row in rows for claim in row["told"]]


def test_every_claim_stands_in_a_text() -> None:
    assert (ROOT / "docs" / "guide-coverage.md").read_text(encoding="utf-8") == coverage.page()


def test_a_claim_that_stands_nowhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "table.toml"
    table.write_text(
        '[[section]]\ntitle = "T"\nrows = [{ says = "s", told = ["alert:mail_loop: dance in the rain"] }]\n'
    )
    monkeypatch.setattr(coverage, "TABLE", table)
    with pytest.raises(ValueError, match="doesn't say 'dance in the rain'"):
        coverage.page()


def test_every_playbook_and_every_habit_is_named() -> None:
    named = {claim.split(":")[1] for claim in CLAIMS}
    assert set(shipped_playbooks()) <= named
    assert {habit.name for habit in shipped_habits()} <= named


def test_the_codes_of_the_guide_are_all_there() -> None:
    rows = [row["says"] for row in SECTIONS["The table of codes"]]
    assert len(rows) == 14
    assert all(explain(CATALOGUE, says.partition(",")[0].partition(" ")[0]) for says in rows)
