"""The page that follows the guide names only causes, playbooks and commands that exist."""

import re
import tomllib
from pathlib import Path

import pytest

from bounce_watch.classify import explain
from bounce_watch.model import Cause
from bounce_watch.sandbox.jobs import shipped_catalogue

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "guide-coverage.md").read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(r"`([a-z]+(?:_[a-z]+)*)`", PAGE)) - {"side"})
PLAYBOOKS = tomllib.loads((ROOT / "data" / "playbooks.toml").read_text(encoding="utf-8"))["playbook"]
CATALOGUE = shipped_catalogue()
CODE_ROWS = re.findall(r"^\| (\d\.\d\.\d+)(?: to 5\.7\.503)? \| ([^|]+) \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_on_the_page_is_a_cause_or_a_playbook(name: str) -> None:
    assert name in {cause.value for cause in Cause} | {playbook["name"] for playbook in PLAYBOOKS}


@pytest.mark.parametrize(("code", "causes"), CODE_ROWS, ids=[code for code, _ in CODE_ROWS])
def test_a_code_of_the_guide_means_what_the_page_says(code: str, causes: str) -> None:
    """The page may name fewer causes than the catalogue knows for a code, never another one."""
    known = {explanation.cause.value for explanation in explain(CATALOGUE, code)}
    assert set(re.findall(r"`(\w+)`", causes)) <= known


def test_the_page_follows_all_codes_of_the_guide() -> None:
    assert len(CODE_ROWS) == 13


def test_every_playbook_is_named_on_the_page_or_belongs_to_what_the_guide_leaves_out() -> None:
    missing = {playbook["name"] for playbook in PLAYBOOKS} - set(NAMES)
    assert missing <= {"forwarding", "tls_failure"}
