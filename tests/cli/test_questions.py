"""Commands that read: tables for people, JSON lines and CSV for programs."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import call

Ask = Callable[..., list[dict[str, Any]]]
JONAS = "jonas.weber@larkfield.example"


def test_history_filters_by_every_value(ask: Ask) -> None:
    everything = ask("history", "--limit", "0")
    assert len(everything) > 60
    jonas = ask("history", "--sender", JONAS, "--limit", "0")
    assert jonas == [row for row in everything if row["sender"] == JONAS]
    assert {row["cause"] for row in ask("history", "--cause", "spf_failed")} == {"spf_failed"}
    assert {row["owner"] for row in ask("history", "--owner", "security")} == {"security"}
    assert {row["status"] for row in ask("history", "--code", "5.1.8")} == {"5.1.8"}
    assert all(
        row["recipient"].endswith("@auerbach-optik.example")
        for row in ask("history", "--domain", "auerbach-optik.example")
    )


def test_history_is_newest_first_and_pages(ask: Ask) -> None:
    rows = ask("history", "--limit", "10")
    assert [row["occurred_at"] for row in rows] == sorted((row["occurred_at"] for row in rows), reverse=True)
    assert ask("history", "--limit", "5", "--offset", "5") == rows[5:]
    oldest = ask("history", "--limit", "1", "--oldest")
    assert oldest[0]["occurred_at"] < rows[-1]["occurred_at"]


def test_csv_has_one_line_a_bounce(demo: Path, ask: Ask) -> None:
    out = call("-c", str(demo / "config.toml"), "history", "--csv", "--limit", "0").stdout
    assert len(list(csv.DictReader(io.StringIO(out)))) == len(ask("history", "--limit", "0"))


def test_show_tells_the_judgement_and_what_followed(demo: Path, ask: Ask) -> None:
    (row, *_) = ask("history", "--cause", "sender_blocked", "--sender", JONAS)
    (detail,) = ask("show", str(row["id"]))
    assert detail["incidents"][0]["name"].startswith("INC-")
    assert detail["report"]["evidence"] == "member"
    assert detail["why"]
    text = call("-c", str(demo / "config.toml"), "show", str(row["id"])).stdout
    assert "Owner" in text
    assert "Security team" in text
    assert detail["report"]["decided_by"].endswith("about their own mail")
    assert detail["report"]["decided_by"].split("(")[0] in " ".join(text.split())
    assert "our DKIM signature" not in text
    table = call("-c", str(demo / "config.toml"), "show", str(row["id"]), "--evidence").stdout
    assert "our DKIM signature" in table


def test_top_counts_mails(ask: Ask) -> None:
    counts = ask("top", "sender", "--limit", "3")
    assert counts[0]["sender"] == JONAS
    assert [row["mails"] for row in counts] == sorted((row["mails"] for row in counts), reverse=True)


def test_an_incident_is_shown_with_proof_and_pasteable_steps(demo: Path, ask: Ask) -> None:
    blocked = next(one for one in ask("incidents", "list") if one["rule"] == "sender_blocked")
    (detail,) = ask("incidents", "show", blocked["incident"])
    assert len(detail["bounces"]) >= 3
    commands = [command for step in detail["steps"] for command in step["commands"]]
    assert any(f"'{JONAS}'" in command for command in commands)
    text = call("-c", str(demo / "config.toml"), "incidents", "show", "1").stdout
    assert "What to do" in text


def test_the_outbox_shows_a_mail_as_its_reader_sees_it(demo: Path, ask: Ask) -> None:
    mails = ask("outbox", "list", "--limit", "500")
    assert {mail["state"] for mail in mails} == {"sent"}
    reply = next(mail for mail in mails if mail["kind"] == "reply")
    (shown,) = ask("outbox", "show", str(reply["id"]))
    assert reply["to"] == shown["to"]
    assert "What to do" in shown["text"]
    raw = call("-c", str(demo / "config.toml"), "outbox", "show", str(reply["id"]), "--raw").stdout
    assert "Auto-Submitted: auto-generated" in raw


def test_the_digest_can_be_read_without_sending(demo: Path, ask: Ask, tmp_path: Path) -> None:
    page = tmp_path / "digest.html"
    out = call("-c", str(demo / "config.toml"), "digest", "--date", "2026-11-13", "--html", str(page)).stdout
    assert "SPF" in out
    assert "<html" in page.read_text()
    (figures,) = ask("digest", "--date", "2026-11-13")
    assert figures["bounces"]["now"] > 5


def test_a_preview_is_written_where_no_screen_is(demo: Path, tmp_path: Path) -> None:
    """It goes to a file that only its owner can read, and the program says which."""
    done = call(
        *(
            "-c",
            str(demo / "config.toml"),
            "digest",
            "--date",
            "2026-11-16",
            "--edition",
            "weekly",
            "--preview",
        ),
        environ={"TMPDIR": str(tmp_path), "DISPLAY": "", "WAYLAND_DISPLAY": ""},
    )
    (page,) = tmp_path.glob("bounce-watch-*/digest.html")
    assert page.stat().st_mode & 0o077 == 0
    assert "week" in done.stdout.lower()
    assert str(page) in done.stderr.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        pytest.param(["history", "--cause", "mailbox_ful"], 2, "mailbox_full", id="cause-typo"),
        pytest.param(["history", "--since", "soon"], 2, "use 7d", id="moment"),
        pytest.param(["show", "99999"], 1, "there is no bounce 99999", id="no-such-bounce"),
        pytest.param(["incidents", "show", "x"], 2, "INC-7", id="incident-number"),
        pytest.param(["outbox", "release"], 2, "--all", id="release-what"),
        pytest.param(["digest", "--date", "13.11."], 2, "2026-11-24", id="date"),
        pytest.param(["digest", "--date", "2999-01-01"], 2, "no digest was made for 2999-01-01", id="future"),
        pytest.param(["digest", "--date", "2001-01-01"], 2, "no digest was made for 2001-01-01", id="past"),
        pytest.param(["digest", "--edition", "yearly"], 2, "daily", id="edition"),
    ],
)
def test_a_wrong_question_says_what_is_right(
    demo: Path, arguments: list[str], status: int, sentence: str
) -> None:
    done = call("-c", str(demo / "config.toml"), *arguments, status=status)
    assert sentence in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_without_a_store_the_first_command_is_named(tmp_path: Path, demo_in_file: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text((demo_in_file / "config.toml").read_text())
    done = call("-c", str(config), "history", status=1)
    assert "run --once" in done.stderr


def test_without_a_configuration_init_is_named(tmp_path: Path) -> None:
    done = call("-c", str(tmp_path / "none.toml"), "history", status=78)
    assert "bounce-watch init" in done.stderr


def test_explain_takes_a_code_and_a_pasted_reply() -> None:
    (first, *_) = map(json.loads, call("explain", "5.7.23", "--json").stdout.splitlines())
    assert (first["cause"], first["owner"]) == ("spf_failed", "mail_admin")
    reply = "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"
    (first, *_) = map(json.loads, call("explain", reply, "--json").stdout.splitlines())
    assert first["cause"] == "recipient_unknown"
    assert "Owner" in call("explain", "5.1.8").stdout
    assert "Give a code" in call("explain", "hello", status=1).stderr
    assert "its words decide" in call("explain", "5.0.0", status=1).stderr
