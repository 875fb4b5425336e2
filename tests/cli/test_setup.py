"""`init` and `check`."""

import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from bounce_watch.config.load import load_config
from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG

FLAGS = [
    "--organisation", "Larkfield", "--domain", "larkfield.example", "--mailbox", "bounces@larkfield.example",
    "--admin", "mailadmin@larkfield.example", "--support", "4455", "--time-zone", "Europe/Berlin",
    "--imap-host", "localhost",
]  # fmt: skip

TENANT = ["--imap-host", "outlook.office365.com", "--tenant", "larkfield.example", "--client-id", "5f1d"]


def written(tmp_path: Path, *more: str) -> Path:
    path = tmp_path / "config.toml"
    call("init", *FLAGS, "--output", str(path), *more)
    return path


def test_init_writes_a_private_file_that_check_accepts(tmp_path: Path) -> None:
    maildir = tmp_path / "inbox"
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True)
    places = [
        "--maildir",
        str(maildir),
        "--out-folder",
        str(tmp_path / "out"),
        "--store",
        str(tmp_path / "s.db"),
    ]
    path = written(tmp_path, *places)
    assert path.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in call("-c", str(path), "check", "--json").stdout.splitlines()]
    assert {line["state"] for line in lines if not line["name"].startswith("DNS ")} == {"ok"}, lines


def test_init_never_replaces_a_file_unasked(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text("mine")
    assert "--force" in call("init", *FLAGS, "--output", str(path), status=1).stderr
    assert path.read_text() == "mine"
    call("init", *FLAGS, "--output", str(path), "--force")
    assert "Larkfield" in path.read_text()


def test_init_without_answers_names_the_flags(tmp_path: Path) -> None:
    done = call("init", "--domain", "larkfield.example", "--output", str(tmp_path / "c.toml"), status=2)
    assert "--organisation" in done.stderr
    assert "--domain" not in done.stderr


@pytest.mark.parametrize(
    ("flags", "fix"),
    [
        pytest.param(["--imap-host", "outlook.office365.com"], "--tenant and --client-id", id="password"),
        pytest.param(["--tenant", "larkfield.example"], "leave out --tenant", id="tenant-elsewhere"),
        pytest.param(["--time-zone", "Mars/Crater"], "Europe/Berlin", id="zone"),
    ],
)
def test_init_refuses_what_cannot_work(tmp_path: Path, flags: list[str], fix: str) -> None:
    path = tmp_path / "config.toml"
    assert fix in call("init", *FLAGS, *flags, "--yes", "--output", str(path), status=2).stderr
    assert not path.exists()


def test_init_writes_about_25_lines_that_say_where_to_read_on(tmp_path: Path) -> None:
    text = written(tmp_path, *TENANT, "--security", "soc@larkfield.example", "--yes").read_text()
    assert 20 <= text.count("\n") <= 40
    assert "docs/configuration.md" in text
    assert "bounce-watch calibrate" in text
    assert 'host = "smtp.office365.com"' in text


@pytest.mark.slow
def test_init_asks_for_all_that_the_sign_in_to_exchange_online_needs(tmp_path: Path) -> None:
    """A person at a terminal is asked for the application too: without it no token is to be had."""
    answers = (
        "larkfield.example", "Larkfield", "", "", "security@larkfield.example", "+49 30 4455",
        "", "tenant.example", "the-application", "Mars/Crater", "Europe/Berlin", "400", "y",
    )  # fmt: skip
    path = tmp_path / "config.toml"
    ours, theirs = pty.openpty()
    try:
        os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
        command = [sys.executable, "-m", "bounce_watch", "init", "--output", str(path)]
        done = subprocess.run(command, stdin=theirs, capture_output=True, check=False, text=True, timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert "Application (client) ID" in done.stderr
    config = load_config(path)
    assert path.read_text().count('client_id = "the-application"') == 2
    assert config.organisation.support == "the help desk, phone +49 30 4455"
    assert config.organisation.security == ["security@larkfield.example"]
    assert config.organisation.time_zone == "Europe/Berlin"
    assert "Mars/Crater" in done.stderr
    assert "configuration" in done.stdout  # the check that was offered ran


def test_check_offline_looks_at_no_server_and_names_every_fault(tmp_path: Path) -> None:
    path = written(tmp_path, "--store", str(tmp_path / "s.db"))
    done = call("-c", str(path), "check", "--offline")
    assert "mailbox" not in done.stdout
    assert "BOUNCE_WATCH_IMAP_PASSWORD" in done.stdout  # which is missing, and no server has to be asked
    path.write_text(path.read_text().replace('support = "', 'suport = "'))
    path.chmod(0o600)
    lines = [
        json.loads(line) for line in call("-c", str(path), "check", "--json", status=78).stdout.splitlines()
    ]
    assert "did you mean support?" in " ".join(line["text"] for line in lines)


@pytest.mark.parametrize(("days", "state"), [(-1, "failure"), (29, "warning"), (90, "ok")])
def test_check_says_when_the_certificate_of_the_application_ends(
    tmp_path: Path, days: int, state: str
) -> None:
    """No other program warns: with an expired certificate the service would stop working."""
    rsa, ends = trustme.KeyType.RSA, datetime.now(UTC) + timedelta(days=days)
    issued = trustme.CA(key_type=rsa).issue_cert("app.larkfield.example", key_type=rsa, not_after=ends)
    (tmp_path / "app.pem").write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    path = written(tmp_path, *TENANT)
    text = path.read_text()
    assert "[source.oauth]" in text
    path.write_text(text.replace("[source.oauth]", '[source.oauth]\ncertificate_file = "app.pem"'))
    done = call("-c", str(path), "check", "--offline", "--json", status=int(state == "failure"))
    (line,) = [row for row in map(json.loads, done.stdout.splitlines()) if row["name"] == "certificate"]
    assert (line["state"], bool(line["repair"])) == (state, state != "ok")
    assert f"{ends:%Y-%m-%d}" in line["text"]


def test_check_tells_that_passwords_for_exchange_online_end(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    text = CONFIG.replace('type = "folder"\npath = "sent"', 'type = "smtp"\nuser = "b@larkfield.example"')
    config.write_text(text)
    config.chmod(0o600)
    said = call("-c", str(config), "check", "--offline", "--json").stdout
    (found,) = [row for row in map(json.loads, said.splitlines()) if row["name"] == "sending with a password"]
    assert found["state"] == "warning"
    assert "December 2026" in found["text"]
    config.write_text(text.replace('type = "smtp"', 'type = "smtp"\nhost = "mail.larkfield.example"'))
    assert "sending with a password" not in call("-c", str(config), "check", "--offline", "--json").stdout


def test_check_says_what_repairs_a_missing_password(tmp_path: Path) -> None:
    path = written(tmp_path, "--smtp-host", "localhost", "--store", str(tmp_path / "s.db"))
    lines = [
        json.loads(line) for line in call("-c", str(path), "check", "--json", status=1).stdout.splitlines()
    ]
    failures = [line for line in lines if line["state"] == "failure"]
    assert failures
    assert all(line["repair"] for line in failures)


COMMANDS = (
    "demo", "init", "check", "run", "ingest", "parse", "explain", "history", "show", "top",
    "incidents", "digest", "outbox", "quarantine",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    assert "Usage" in call(command, "--help").stdout
