"""`person` and `domain`: what a help desk asks; and what the shell offers after Tab."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import update
from sqlmodel import col
from typer.main import get_command

from bounce_watch.cli.app import app
from bounce_watch.cli.common.filters import complete_sender
from bounce_watch.config.load import load_config
from bounce_watch.store import By, open_store, store_location, tables
from tests.cli.conftest import call
from tests.store.rows import changing

Ask = Callable[..., list[dict[str, Any]]]
JONAS = "jonas.weber@larkfield.example"


def test_a_person_is_told_whole(ask: Ask) -> None:
    (told,) = ask("person", JONAS, "--limit", "100")
    assert [row["id"] for row in told["sent"]] == [
        row["id"] for row in ask("history", "--sender", JONAS, "--limit", "0")
    ]
    assert {mail["to"] for mail in told["told"]} == {JONAS}
    assert told["not_told"]
    assert {one["name"] for one in told["incidents"]} >= {"INC-1", "INC-2"}


def test_the_help_desk_reads_what_to_tell_them(demo: Path) -> None:
    out = call("-c", str(demo / "config.toml"), "person", JONAS.upper()).stdout
    assert "our account is blocked (4)" in out
    assert "1. Contact support now: the helpdesk, phone 4455." in out
    assert "What we wrote to them" in out
    assert "notified recently" in out


def test_nobody_is_known_to_be_nobody(demo: Path) -> None:
    done = call("-c", str(demo / "config.toml"), "person", "nobody@larkfield.example")
    assert "Nothing is known of nobody@larkfield.example" in done.stderr


def test_a_domain_is_told_whole(demo: Path, ask: Ask) -> None:
    (told,) = ask("domain", "Nordwerk.example", "--limit", "100")
    assert [row["id"] for row in told["bounces"]] == [
        row["id"] for row in ask("history", "--domain", "nordwerk.example", "--limit", "0")
    ]
    out = call("-c", str(demo / "config.toml"), "domain", "nordwerk.example").stdout
    for wanted in ("Senders", "What its servers said", "550 5.1.1", "--postmaster-draft"):
        assert wanted in out


def test_a_domain_without_bounces_is_said_to_be_fine(demo: Path) -> None:
    done = call("-c", str(demo / "config.toml"), "domain", "fine.example")
    assert "No message to fine.example bounced." in done.stderr


@pytest.mark.parametrize("part", ["anna", "Anna.S", "schulte", "an"])
def test_a_colleague_is_found_by_a_part_of_the_address(demo: Path, part: str) -> None:
    out = call("-c", str(demo / "config.toml"), "person", part).stdout
    assert out.startswith("anna.schulte@larkfield.example: ")
    assert "Offer 2217, revised" in out


def test_several_that_match_are_listed(demo: Path) -> None:
    done = call("-c", str(demo / "config.toml"), "person", "larkfield", "--json", status=1)
    assert JONAS in done.stderr
    assert "anna.schulte@larkfield.example" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("command", "typed", "meant"),
    [
        ("person", "ana.schulte@larkfield.example", "anna.schulte@larkfield.example"),
        ("person", "jonas.webber@larkfield.example", JONAS),
        ("domain", "nordwrek.example", "nordwerk.example"),
        ("domain", "fjordmetrick.example", "fjordmetrik.example"),
    ],
)
def test_a_typing_error_is_answered_with_the_right_name(
    demo: Path, command: str, typed: str, meant: str
) -> None:
    done = call("-c", str(demo / "config.toml"), command, typed)
    said = " ".join((done.stdout + done.stderr).split())
    assert f"Did you mean {meant}?" in said
    assert "--postmaster-draft" not in said


def test_a_draft_is_offered_only_where_it_can_be_written(demo: Path, ask: Ask) -> None:
    for name in {row["recipient"].rpartition("@")[2] for row in ask("history", "--limit", "0")}:
        out = call("-c", str(demo / "config.toml"), "domain", name).stdout if name else ""
        for number in re.findall(r"show (\d+) --postmaster-draft", out):
            call("-c", str(demo / "config.toml"), "show", number, "--postmaster-draft")


def test_receipts_and_delays_are_not_among_what_was_not_delivered(demo: Path, ask: Ask) -> None:
    by_action = {row["action"]: row for row in ask("history", "--limit", "0")}
    for action, title, first in (
        ("delayed", "that are delayed", "Only delayed: the server is still trying"),
        ("relayed", "that were delivered", "Passed on: this is a receipt"),
    ):
        row = by_action[action]
        out = call("-c", str(demo / "config.toml"), "person", row["sender"], "--limit", "99").stdout
        failed, _, after = out.partition(f"Messages of theirs {title}")
        assert not re.search(rf"(?m)^ *{row['id']} ", failed)
        assert re.search(rf"(?m)^ *{row['id']} ", after)
        assert call("-c", str(demo / "config.toml"), "show", str(row["id"])).stdout.startswith(first)


def completed(words: str, config: Path | str) -> list[str]:
    """Return what bash is offered for the last word; the program asks under its installed name."""
    asked = {
        "_BOUNCE_WATCH_COMPLETE": "complete_bash",
        "COMP_WORDS": f"bounce-watch -c {config} {words}",
        "COMP_CWORD": str(2 + len(words.split())),
    }
    program = Path(sys.executable).with_name("bounce-watch")
    done = subprocess.run(
        [program], env={**os.environ, **asked}, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param("history --sender jonas", JONAS, id="sender"),
        pytest.param("history --domain nord", "nordwerk.example", id="domain"),
        pytest.param("top --code 5.1.1", "5.1.10", id="code"),
        pytest.param("trend --cause spf", "spf_failed", id="cause"),
        pytest.param("person jon", JONAS, id="person"),
    ],
)
def test_the_shell_offers_what_the_store_knows(demo: Path, words: str, offered: str) -> None:
    assert offered in completed(words, demo / "config.toml")


@pytest.mark.slow
def test_the_shell_is_offered_nothing_without_a_store(tmp_path: Path) -> None:
    assert completed("history --sender jonas", tmp_path / "none.toml") == []


@pytest.mark.parametrize(
    "label", ["$(id)@x.example", "a b@x.example", "x;y", "a`b`", "\x1b[2J", "ä@x.example"]
)
def test_the_shell_is_offered_nothing_that_it_would_run(site: Path, label: str) -> None:
    """The store knows the label, and it is left out; the plain ones beside it are offered."""
    where = store_location(load_config(site).store)
    with changing(where) as session:
        of_jonas = col(tables.Bounce.sender_key) == JONAS
        session.execute(update(tables.Bounce).where(of_jonas).values(sender_key=label))
    with open_store(where) as store:
        assert label in store.history.labels(By.SENDER, label[:1])
    context = typer.Context(get_command(app))
    context.params["config"] = site
    assert label not in complete_sender(context, label[:1])
    assert complete_sender(context, "a")
