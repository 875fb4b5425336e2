"""Drafts and packs from the played demo."""

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import call

Ask = Callable[..., list[dict[str, Any]]]
FILES = ["README.txt", "codes.txt", "commands.txt", "samples.json", "samples.txt", "timeline.txt"]


def find(ask: Ask, cause: str) -> dict[str, Any]:
    return ask("history", "--cause", cause)[0]


def test_a_draft_goes_to_the_recipient_s_postmaster(demo: Path, ask: Ask) -> None:
    row = find(ask, "blocked_reputation")
    config = ("--config", str(demo / "config.toml"))
    text = call(*config, "show", str(row["id"]), "--postmaster-draft").stdout
    assert text.startswith(f"To: postmaster@{row['recipient'].partition('@')[2]}\n")
    assert row["sender"] in text
    assert row["subject"] not in text


def test_no_draft_is_written_about_a_refusal_of_our_own(demo: Path, ask: Ask) -> None:
    row = find(ask, "sender_blocked")
    done = call("--config", str(demo / "config.toml"), "show", str(row["id"]), "--postmaster-draft", status=1)
    assert done.stdout == ""
    assert "Our own servers rejected this message" in done.stderr


def test_the_evidence_is_shown(demo: Path, ask: Ask) -> None:
    row = find(ask, "blocked_reputation")
    shown = ask("show", str(row["id"]))[0]
    assert re.fullmatch(r"[\d.]+", shown["details"]["blocked_ip"])
    text = call("--config", str(demo / "config.toml"), "show", str(row["id"])).stdout
    assert f"Blocked address: {shown['details']['blocked_ip']}" in text


@pytest.mark.parametrize("redact", [False, True])
def test_a_pack_holds_what_a_support_case_needs(demo: Path, ask: Ask, tmp_path: Path, redact: bool) -> None:
    incident = next(one for one in ask("incidents", "list") if one["rule"] == "spf_many_senders")
    number, out = incident["incident"], tmp_path / "case"
    config = ("--config", str(demo / "config.toml"))
    call(*config, "incidents", "pack", number, "--out", str(out), *(["--redact"] if redact else []))
    folder = out / number
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    everything = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    samples = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
    assert 1 <= len(samples) <= 10
    assert "quarantine" in (folder / "README.txt").read_text(encoding="utf-8")
    assert "Get-MessageTraceV2 -MessageId '<" in (folder / "commands.txt").read_text(encoding="utf-8")
    named = [name for name in (*incident["senders"], *incident["recipient_domains"]) if name in everything]
    assert bool(named) is not redact
    assert ("larkfield" in everything) is not redact
    assert all(sample["subject"] is None for sample in samples) is redact


def test_a_pack_never_overwrites(demo: Path, tmp_path: Path) -> None:
    config = ("--config", str(demo / "config.toml"))
    call(*config, "incidents", "pack", "1", "--out", str(tmp_path))
    call(*config, "incidents", "pack", "1", "--out", str(tmp_path), status=2)
    call(*config, "incidents", "pack", "999", "--out", str(tmp_path), status=1)
