"""The whole way on real servers: a refused mail, Postfix's own report, our answer in the sender's mailbox."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.program import run_program
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot
from tests.servers.kept import Keep
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TENANT, TokenServer
from tests.servers.world import MailWorld

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("world")]

ALICE, BOB = "alice@contoso.example", "bob@contoso.example"

CONFIG = """
[organisation]
name = "Contoso"
accepted_domains = ["contoso.example"]
support = "the helpdesk, phone 1234"
admins = ["admin@contoso.example"]

[source]
type = "imap"
host = "localhost"
port = {imap_port}
user = "{watched}"
ca_file = "{imap_ca}"
{source_login}

[send]
type = "smtp"
host = "localhost"
port = {smtp_port}
auth = "none"
ca_file = "{smtp_ca}"

[store]
{store}

[reply]
mode = "{mode}"
from_address = "{watched}"
hold_backlog_over = {backlog}

[digest]
at = "{digest_at}"

[trust]
authority = "mailbox"
"""
WITH_PASSWORD = "password_command = \"printf '%s' '" + PASSWORD + "'\""


def write_config(world: MailWorld, folder: Path, keep: Keep, **changes: str) -> Path:
    values = {
        "imap_port": str(world.imap_port),
        "watched": WATCHED,
        "imap_ca": str(world.imap_ca_file),
        "smtp_port": str(world.smtp_port),
        "smtp_ca": str(world.smtp_ca_file),
        "store": keep(folder).line,
        "mode": "on",
        "backlog": "100",
        "digest_at": "23:59:59",
        "source_login": WITH_PASSWORD,
    }
    path = folder / "config.toml"
    path.write_text(CONFIG.format(**{**values, **changes}))
    return path


def bounce_watch(
    config: Path, *arguments: str, status: int = 0, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program as a user does and demand its exit status."""
    done = run_program("--config", str(config), *arguments, environ=environ)
    assert done.returncode == status, done.stderr
    return done


def run_once(config: Path, **options: object) -> dict[str, object]:
    figures: dict[str, object] = json.loads(bounce_watch(config, "run", "--once", "--json").stdout)
    return figures


def test_a_refused_mail_ends_as_guidance_in_the_senders_mailbox(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    """Postfix bounces alice's mail; we read it over IMAP, answer over SMTP, file it, and do nothing twice."""
    message_id = mail_world.send(ALICE, "nouser@fabrikam.example", subject="Offer for the microscopes")
    mail_world.dovecot.wait_for(1, WATCHED)
    config = write_config(mail_world, tmp_path, keep)

    first = run_once(config)
    assert (first["messages"], first["bounces"], first["letters"]) == (1, 1, 1)
    (letter,) = mail_world.dovecot.wait_for(1, ALICE)
    assert b"nouser@fabrikam.example" in letter
    assert b"Offer for the microscopes" in letter
    assert b"Auto-Submitted: auto-generated" in letter
    assert f"In-Reply-To: {message_id}".encode() in letter
    assert mail_world.dovecot.contents(WATCHED) == []
    assert len(mail_world.dovecot.contents(WATCHED, "Bounces/Filed")) == 1

    second = run_once(config)
    assert (second["messages"], second["letters"], second["delivered"]["sent"]) == (0, 0, 0)  # type: ignore[index]
    assert len(mail_world.dovecot.contents(ALICE)) == 1

    (row,) = map(json.loads, bounce_watch(config, "history", "--json").stdout.splitlines())
    assert (row["sender"], row["recipient"]) == (ALICE, "nouser@fabrikam.example")
    assert (row["status"], row["cause"], row["owner"]) == ("5.1.10", "recipient_unknown", "sender")


def test_in_preview_nothing_leaves_before_it_is_released(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    mail_world.send(ALICE, "nouser@fabrikam.example")
    mail_world.dovecot.wait_for(1, WATCHED)
    config = write_config(mail_world, tmp_path, keep, mode="preview")

    assert run_once(config)["letters"] == 1
    assert mail_world.dovecot.contents(ALICE) == []
    (held,) = map(
        json.loads, bounce_watch(config, "outbox", "list", "--state", "held", "--json").stdout.splitlines()
    )
    assert held["to"] == ALICE

    bounce_watch(config, "outbox", "release", str(held["id"]))
    run_once(config)
    assert len(mail_world.dovecot.wait_for(1, ALICE)) == 1


def test_what_lies_there_at_the_first_run_waits_for_release(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    """Older mail gets no reply; mail that arrives later gets one at once."""
    mail_world.send(ALICE, "nouser@fabrikam.example")
    mail_world.dovecot.wait_for(1, WATCHED)
    time.sleep(1 - time.time() % 1)  # arrivals are told in whole seconds: what came in this one is no backlog
    config = write_config(mail_world, tmp_path, keep, backlog="0")

    said = bounce_watch(config, "run", "--dry-run").stderr
    assert f"Would hold for your release, to {ALICE}" in said
    said = bounce_watch(config, "run", "--once").stderr
    assert "1 mails wait for you" in said
    assert "bounce-watch outbox release --all" in said.replace("\n", " ")
    mail_world.send(BOB, "nouser@fabrikam.example")
    mail_world.dovecot.wait_for(1, WATCHED)
    run_once(config)
    assert len(mail_world.dovecot.wait_for(1, BOB)) == 1
    assert mail_world.dovecot.contents(ALICE) == []

    bounce_watch(config, "outbox", "release", "--all")
    assert run_once(config)["held"] == 0
    assert len(mail_world.dovecot.wait_for(1, ALICE)) == 1


def test_a_rehearsal_changes_nothing(mail_world: MailWorld, tmp_path: Path, keep: Keep) -> None:
    mail_world.send(ALICE, "nouser@fabrikam.example")
    mail_world.dovecot.wait_for(1, WATCHED)
    config = write_config(mail_world, tmp_path, keep)

    said = bounce_watch(config, "run", "--dry-run").stderr
    assert f"Would send to {ALICE}" in said
    assert len(mail_world.dovecot.contents(WATCHED)) == 1
    assert mail_world.dovecot.contents(ALICE) == []
    assert not (tmp_path / "store.db").exists()


def test_other_mail_stays_where_it_is_and_unreadable_mail_is_quarantined(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    newsletter = (
        b"From: news@shop.example\r\nTo: bounces@contoso.example\r\nSubject: Sale\r\n\r\nBuy now.\r\n"
    )
    garbage = bytes(range(256)) * 8
    mail_world.dovecot.append([newsletter, garbage])
    config = write_config(mail_world, tmp_path, keep)

    figures = run_once(config)
    assert (figures["messages"], figures["left"], figures["quarantined"]) == (2, 1, 1)
    (left,) = mail_world.dovecot.contents(WATCHED)
    assert b"Buy now." in left
    assert len(mail_world.dovecot.contents(WATCHED, "Bounces/Quarantine")) == 1
    assert run_once(config)["messages"] == 0

    target = tmp_path / "kept"
    bounce_watch(config, "quarantine", "show", "1", "--output", str(target))
    assert target.read_bytes() == mail_world.dovecot.contents(WATCHED, "Bounces/Quarantine")[0]
    assert "1" in bounce_watch(config, "quarantine", "list").stdout
    assert "Still" in bounce_watch(config, "quarantine", "requeue", "1").stderr


def test_many_spf_refusals_alert_the_admins_once(mail_world: MailWorld, tmp_path: Path, keep: Keep) -> None:
    senders = [ALICE, BOB, "carol@contoso.example", "dave@contoso.example"]
    for place, sender in enumerate(senders):
        mail_world.send(sender, f"spf@partner{place}.example")
    mail_world.dovecot.wait_for(len(senders), WATCHED)
    config = write_config(mail_world, tmp_path, keep)

    figures = run_once(config)
    assert len(figures["opened"]) == 1  # type: ignore[arg-type]
    (alert,) = mail_world.dovecot.wait_for(1, "admin@contoso.example")
    assert b"INC-1" in alert
    (incident,) = map(json.loads, bounce_watch(config, "incidents", "list", "--json").stdout.splitlines())
    assert incident["rule"] == "spf_many_senders"
    assert set(incident["senders"]) == set(senders)


def test_the_digest_leaves_once_a_day(mail_world: MailWorld, tmp_path: Path, keep: Keep) -> None:
    mail_world.send(ALICE, "nouser@fabrikam.example")
    mail_world.dovecot.wait_for(1, WATCHED)
    config = write_config(mail_world, tmp_path, keep, digest_at="00:00:00")

    assert run_once(config)["digest"] is True
    assert run_once(config)["digest"] is False
    (digest,) = mail_world.dovecot.wait_for(1, "admin@contoso.example")
    assert b"Auto-Submitted: auto-generated" in digest


def test_check_looks_at_every_part_and_changes_nothing(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    config = write_config(mail_world, tmp_path, keep)
    lines = [json.loads(line) for line in bounce_watch(config, "check", "--json").stdout.splitlines()]
    assert {line["state"] for line in lines} <= {"ok", "warning"}
    assert len(lines) >= 7
    assert mail_world.dovecot.folders(WATCHED) == ["INBOX"] or "Bounces" not in mail_world.dovecot.folders(
        WATCHED
    )
    assert mail_world.dovecot.contents("admin@contoso.example") == []


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        pytest.param(
            {"source_login": 'password_command = "printf wrong"'},
            77,
            "refuses user name",
            id="wrong-password",
        ),
        pytest.param({"imap_port": "1"}, 69, "localhost", id="nobody-listens"),
        pytest.param({"source_login": "pasword = 'x'"}, 78, "did you mean password", id="wrong-key"),
        pytest.param({"source_login": ""}, 78, "BOUNCE_WATCH_IMAP_PASSWORD", id="no-password"),
    ],
)
def test_what_is_wrong_is_said_with_its_repair_and_status(
    mail_world: MailWorld, tmp_path: Path, keep: Keep, changes: dict[str, str], status: int, sentence: str
) -> None:
    done = bounce_watch(write_config(mail_world, tmp_path, keep, **changes), "run", "--once", status=status)
    assert sentence.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr


@pytest.mark.about_files("its lock; at a server a second one works too: test_watchers.py")
def test_a_second_watcher_on_the_same_store_names_the_first(
    mail_world: MailWorld, tmp_path: Path, keep: Keep
) -> None:
    import fcntl

    config = write_config(mail_world, tmp_path, keep)
    run_once(config)
    with (tmp_path / "store.db.lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("4711\n")
        held.flush()
        assert "4711" in bounce_watch(config, "run", "--once", status=75).stderr


def test_xoauth2_signs_in_with_a_token_from_the_token_server(
    token_server: TokenServer, tmp_path: Path
) -> None:
    with Dovecot(introspection_url=token_server.introspection_url) as dovecot:
        dovecot.append([b"From: a@b.example\r\nSubject: hello\r\n\r\nNo report.\r\n"])
        config = tmp_path / "config.toml"
        config.write_text(
            f"""
[organisation]
name = "Contoso"
accepted_domains = ["contoso.example"]
support = "1234"
admins = ["admin@contoso.example"]
[source]
type = "imap"
host = "localhost"
port = {dovecot.imaps_port}
user = "{WATCHED}"
auth = "xoauth2"
ca_file = "{dovecot.certificates.ca_file}"
[source.oauth]
tenant = "{TENANT}"
client_id = "{CLIENT_ID}"
authority = "{token_server.authority}"
client_secret_command = "printf '%s' '{CLIENT_SECRET}'"
[send]
type = "folder"
path = "{tmp_path}/sent"
[store]
path = "{tmp_path}/bounce-watch.db"
[reply]
from_address = "{WATCHED}"
"""
        )
        trusting = {"REQUESTS_CA_BUNDLE": str(token_server.certificates.ca_file)}
        done = bounce_watch(config, "run", "--once", "--json", environ=trusting)
        assert json.loads(done.stdout)["left"] == 1
        assert token_server.granted == 1
