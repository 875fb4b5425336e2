"""`explain`: a file, a stored bounce, a code, a reply; in this order."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG, ndr


def test_a_file_is_explained_from_the_envelope_to_the_gate(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    mail = tmp_path / "a.eml"
    mail.write_bytes(ndr(at=datetime.now(UTC)))  # an old report is not answered
    told = call("-c", str(tmp_path / "config.toml"), "explain", str(mail)).stdout
    for words in (
        "rfc3464, the first in order that read it",
        "behind 'Final-Recipient', line 4, column 25 of part 2, message/delivery-status",
        "How far it is believed: internal",
        "Decided by  the message in the mailbox (X-MS-Exchange-Organization-AuthAs: Internal)",
        "there is no store here",
        "it would be sent",
        "lena@larkfield.example",
    ):
        assert words in told
    (item,) = map(
        json.loads,
        call("-c", str(tmp_path / "config.toml"), "explain", str(mail), "--json").stdout.splitlines(),
    )
    assert item["answer"]["outcome"] == "allowed"
    assert not any(hits for _, hits in item["answer"]["checks"])
    assert item["bounces"][0]["chosen"]["name"] == item["bounces"][0]["bounce"]["entry"]
    assert not (tmp_path / "store.db").exists()


def test_a_forged_file_names_the_check_that_refuses(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG)
    mail = tmp_path / "a.eml"
    mail.write_bytes(ndr(authority="Anonymous"))
    told = call("-c", str(tmp_path / "config.toml"), "explain", str(mail)).stdout
    assert "not sent: not verified as our message" in told
    assert "AuthAs: Anonymous): it contradicts itself" in " ".join(told.split())
    assert "our DKIM signature" not in told
    told = call("-c", str(tmp_path / "config.toml"), "explain", str(mail), "--evidence").stdout
    assert "our DKIM signature" in told
    assert "1. the message in the mailbox" in told


def test_terminal_sequences_of_a_mail_are_shown_as_text(tmp_path: Path) -> None:
    mail = tmp_path / "a.eml"
    mail.write_bytes(ndr(reply="550 5.1.10 \x1b]0;owned\x07 no such user"))
    assert "\x1b" not in call("explain", str(mail)).stdout


def test_a_number_is_a_stored_bounce_before_it_is_a_reply_code(
    demo: Path, ask: Callable[..., list[dict[str, Any]]]
) -> None:
    (item,) = ask("explain", "1")
    assert item["bounce"]["id"] == 1
    assert item["meanings"]["chosen"]["name"] == item["catalogue_entry"]
    assert item["report"]["tests"]
    told = call("--config", str(demo / "config.toml"), "explain", "1").stdout
    assert "Trust level" in told
    assert {one["code"] for one in ask("explain", "550")} == {"550"}
    call("--config", str(demo / "config.toml"), "explain", "999999", status=1)


def test_a_code_and_a_reply_need_no_configuration() -> None:
    assert "5.7.23" in call("explain", "5.7.23").stdout
    assert "Owner" in call("explain", "550 5.1.10 RESOLVER.ADR.RecipientNotFound").stdout
    assert "550" in call("explain", "550", environ={"XDG_CONFIG_HOME": "/nonexistent"}).stdout


LINES = (
    "550 5.1.1 No such user\n"
    "\n"
    '{"id": "=2", "side": "theirs", "reply": "552 5.2.2 Mailbox full", "remote_mta": "mx.partner.example"}\n'
    '{"id": 3, "side": "ours", "reply": "550 5.1.8 bad outbound sender AS(42004)"}\n'
)


def test_many_replies_are_judged_line_by_line(tmp_path: Path) -> None:
    """A plain reply takes the number of its line as id, an object keeps its own."""
    (tmp_path / "log").write_text(LINES)
    told = call("explain", "--lines", str(tmp_path / "log"), "--json").stdout
    command = [sys.executable, "-m", "bounce_watch", "explain", "--lines", "-", "--json"]
    assert told == subprocess.run(command, input=LINES, capture_output=True, text=True, check=True).stdout
    first, second, third = map(json.loads, told.splitlines())
    assert list(first) == ["id", "cause", "owner", "persistence", "side", "certainty", "entry", "why"]
    assert (first["id"], first["cause"], first["owner"]) == ("1", "recipient_unknown", "sender")
    assert (second["id"], second["cause"], second["side"]) == ("=2", "mailbox_full", "theirs")
    assert (third["id"], third["cause"], third["owner"]) == (3, "sender_blocked", "security")
    assert {one["certainty"] for one in (first, second, third)} == {"told"}


def test_judged_lines_are_shown_as_a_table_and_as_safe_csv(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(LINES)
    assert "Mailbox is full" in call("explain", "--lines", str(tmp_path / "log")).stdout
    rows = list(
        csv.DictReader(call("explain", "--lines", str(tmp_path / "log"), "--csv").stdout.splitlines())
    )
    assert [row["id"] for row in rows] == ["1", "'=2", "3"]


def test_lines_that_cannot_be_meant_are_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "log").write_text('{"id": 1, "repyl": "550"}\n')
    assert "line 1" in call("explain", "--lines", str(tmp_path / "log"), status=2).stderr
    (tmp_path / "log").write_text('{"reply": "550", "side": "both"}\n')
    assert "line 1" in call("explain", "--lines", str(tmp_path / "log"), status=2).stderr
    call("explain", "--lines", str(tmp_path / "missing"), status=2)
    call("explain", "--lines", str(tmp_path / "log"), "5.1.1", status=2)
    call("explain", "--csv", "5.1.1", status=2)
    call("explain", status=2)


def test_a_text_of_any_length_and_with_slashes_is_explained() -> None:
    """A name of more than 255 bytes between slashes is no file, but no fault either."""
    assert "5.1.1" in call("explain", f"550 5.1.1 no such user, see https://x.example/{'a' * 5000}/b").stdout
