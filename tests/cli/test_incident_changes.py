"""Incidents and rules on the command line: what people do leaves a line, and rules can be tried."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import call


@pytest.fixture
def config(site: Path) -> str:
    """The configuration of a played demo that this test may change."""
    return str(site)


def shown(config: str, number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call("-c", config, "incidents", "show", str(number), "--json").stdout)
    return found


def test_people_acknowledge_silence_note_and_resolve_an_incident(config: str) -> None:
    call("-c", config, "incidents", "ack", "INC-2", "--by", "mara", "--why", "on it")
    assert shown(config, 2)["acknowledged_by"] == "mara"
    call("-c", config, "incidents", "silence", "2", "--until", "7d", "--by", "mara")
    assert shown(config, 2)["standing"] == "silenced"
    call("-c", config, "incidents", "silence", "2", "--until", "yesterday", status=2)
    call("-c", config, "incidents", "note", "2", " ", status=2)
    call("-c", config, "incidents", "note", "2", "phoned the owner", "--by", "mara")
    call("-c", config, "incidents", "resolve", "2", "--by", "mara", "--why", "secured")
    assert shown(config, 2)["state"] == "resolved"
    text = call("-c", config, "incidents", "show", "2").stdout
    for line in ("acknowledged by mara on it", "note by mara phoned the owner", "resolved by mara secured"):
        assert line in text
    assert "is resolved" in call("-c", config, "incidents", "ack", "2", status=1).stderr


def test_those_who_may_send_again_are_listed_and_told_once(config: str) -> None:
    number = "3"
    unconfirmed = call("-c", config, "incidents", "allclear", number, "--tell", status=2).stderr
    assert "is not resolved" in unconfirmed
    call("-c", config, "incidents", "resolve", number, "--by", "mara")
    listed = call("-c", config, "incidents", "allclear", number, "--json").stdout.splitlines()
    assert len(listed) >= 3
    assert "notices are in the outbox" in call("-c", config, "incidents", "allclear", number, "--tell").stderr
    again = call("-c", config, "incidents", "allclear", number, "--tell").stderr
    assert again.startswith("0 notices")


def test_nobody_tells_a_hijacked_account_by_mail(config: str) -> None:
    refused = call("-c", config, "incidents", "allclear", "1", "--tell", status=2).stderr
    assert "call" in refused


def test_a_backtest_finds_what_the_demo_opened(ask: Callable[..., list[dict[str, Any]]]) -> None:
    opened = {(one["rule"], one["key"]) for one in ask("incidents", "list")}
    assert {(one["rule"], one["key"]) for one in ask("rules", "backtest", "--since", "2026-11-01")} == opened


def test_a_backtest_shows_what_another_value_changes(ask: Callable[..., list[dict[str, Any]]]) -> None:
    spf = ("rules", "backtest", "--since", "2026-11-01", "--rule", "spf_many_senders")
    assert [row["change"] for row in ask(*spf, "--set", "open_at=50")] == ["gone"]
    assert ask(*spf, "--set", "quiet_resolve=1d") == []


def test_a_change_that_no_rule_can_have_is_refused(demo: Path) -> None:
    config = str(demo / "config.toml")
    base = ("-c", config, "rules", "backtest", "--since", "7d")
    assert "no span" in call(*base, "--rule", "mail_loop", "--set", "window=soon", status=2).stderr
    assert "needs --rule" in call(*base, "--set", "window=2h", status=2).stderr


def test_rules_are_listed_and_sound(demo: Path, tmp_path: Path) -> None:
    config = str(demo / "config.toml")
    assert len(call("-c", config, "rules", "list", "--json").stdout.splitlines()) == 26
    assert "0 remarks" in call("-c", config, "rules", "lint").stderr
    own = tmp_path / "own.toml"
    own.write_text('[[rule]]\nid = "mail_loop"\nwindow = "soon"\n')
    assert "mail_loop" in call("-c", config, "rules", "lint", str(own), status=78).stderr
