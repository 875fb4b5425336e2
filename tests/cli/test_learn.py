"""What a site teaches, and judging the past again, as a user calls it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import call

pytestmark = pytest.mark.slow

CODES = """
[[code]]
code = "5.7.23"
title = "Refused by policy"
meaning = "The partner refuses our domain, whatever it says."
cause = "policy_rejected"
source = "https://partner.example/codes"
checked = 2026-11-30
confidence = "observed"

[[code]]
variant = "spf-by-policy"
match = ["Sender Policy Framework violation"]
title = "Refused by policy"
meaning = "The partner refuses our domain, whatever it says."
cause = "policy_rejected"
source = "https://partner.example/codes"
checked = 2026-11-30
confidence = "observed"
weight = "sure"
"""


def with_codes(site: Path, text: str = CODES) -> Path:
    """Give a site its own file of codes."""
    site.with_name("codes.toml").write_text(text)
    site.write_text(site.read_text() + '\n[overrides]\ncodes = "codes.toml"\n')
    return site


def lines(site: Path, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in call("-c", str(site), *arguments, "--json").stdout.splitlines()]


def test_the_past_is_judged_again_and_back(site: Path) -> None:
    with_codes(site)
    before = lines(site, "history", "--limit", "0")
    checked = {line["name"]: line["state"] for line in lines(site, "check", "--offline")}
    assert checked["verdicts"] == "warning"
    tried = lines(site, "reclassify", "--dry-run")
    assert lines(site, "history", "--limit", "0") == before
    done = call("-c", str(site), "reclassify")
    assert "undoes it" in done.stderr
    assert "Judged before" in done.stdout
    assert sum(int(str(line["bounces"])) for line in tried) > 3
    number = next(row["id"] for row in before if row["status"] == "5.7.23")
    (shown,) = lines(site, "show", str(number))
    assert shown["bounce"]["cause"] == "policy_rejected"  # type: ignore[index]
    assert shown["first_verdict"]["cause"] == "spf_failed"  # type: ignore[index]
    text = call("-c", str(site), "show", str(number)).stdout
    assert "At first      spf_failed, mail_admin must act" in text
    assert f"Judged with   catalogue {shown['catalogue']}" in text
    assert "verdicts" not in {line["name"] for line in lines(site, "check", "--offline")}
    assert not lines(site, "reclassify")
    assert "first verdict again" in call("-c", str(site), "reclassify", "--back").stderr
    assert lines(site, "history", "--limit", "0") == before
