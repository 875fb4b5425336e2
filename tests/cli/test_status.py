"""`status`: one line and an exit status for a monitor, a table for people."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG
from tests.servers.scripted_imap import ScriptedImap
from tests.source.odd_mailbox import OddMailbox

MORNING = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def test_a_store_that_nobody_works_with_any_more_is_critical(demo: Path, site: Path) -> None:
    """The sample week lies in the past, so its mailbox is stale, unless its configuration expects that."""
    call("-c", str(site), "status", status=1)
    site.write_text(site.read_text().partition("[monitor]")[0].replace('"mailbox"', f'"{demo}/mailbox"'))
    done = call("-c", str(site), "status", status=2)
    first, *parts = done.stdout.splitlines()
    assert first.startswith("BOUNCE-WATCH CRITICAL - mailbox ")
    assert "| pending=" in first
    assert first.count("|") == 1
    assert [line for line in parts if line.startswith("CRITICAL")]


def test_status_as_json_names_every_part(demo: Path) -> None:
    told = json.loads(call("-c", str(demo / "config.toml"), "status", "--json", status=1).stdout)
    assert told["status"] == "warning"
    assert {"service", "pending", "held", "unknown", "failed", "quarantine", "breaker", "sending"} <= {
        part["name"] for part in told["parts"]
    }


def test_without_a_configuration_the_status_is_unknown(tmp_path: Path) -> None:
    done = call("-c", str(tmp_path / "none.toml"), "status", status=3)
    assert done.stdout.startswith("BOUNCE-WATCH UNKNOWN - no configuration file was found")
    told = json.loads(call("-c", str(tmp_path / "none.toml"), "status", "--json", status=3).stdout)
    assert told["status"] == "unknown"


@pytest.mark.parametrize("mailboxes", [1, 2])
def test_a_timer_that_cannot_read_the_mailbox_tells_the_admins_at_its_second_look(
    tmp_path: Path, mailboxes: int
) -> None:
    """Once, and once when it is read again; what else is due is done all the same."""
    more = '[[source]]\nname = "asia"\ntype = "maildir"\npath = "asia"\n'
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.replace("[source]", "[[source]]") + more * (mailboxes - 1))
    make_maildir(tmp_path / "asia")

    def look(day: int, status: int) -> list[str]:
        with time_machine.travel(MORNING + timedelta(days=day)):
            call("-c", str(config), "run", "--once", status=status)
        mails = (path.read_text() for path in (tmp_path / "sent").glob("*.eml"))
        return sorted(re.findall(r"(?m)^Subject: ((?:\[Resolved\] )?The bounce mailbox)", "".join(mails)))

    assert look(0, 78) == []
    told = ["The bounce mailbox"]
    assert look(1, 78) == told
    assert look(2, 78) == told
    make_maildir(tmp_path / "mailbox")
    assert look(3, 0) == [*told, "[Resolved] The bounce mailbox"]


def make_maildir(folder: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)


IMAP = """type = "imap"
host = "127.0.0.1"
port = {port}
security = "none"
user = "bounces@contoso.example"
password_command = "echo pa55word"
"""


def test_a_message_that_cannot_be_fetched_is_told_at_once_and_until_it_is_over(tmp_path: Path) -> None:
    """Nobody heard of it: a run ended with status 0, and `status` was content."""
    mailbox = OddMailbox(3, lambda uids, items: b"" if "BODY" in items and 2 in uids else None)
    config = tmp_path / "config.toml"

    with ScriptedImap(mailbox.script()) as server:
        config.write_text(re.sub(r'type = "maildir"\npath = ".*"\n', IMAP.format(port=server.port), CONFIG))
        first = call("-c", str(config), "run", "--once", status=75)
        assert "1 messages could not be fetched" in first.stderr
        told = call("-c", str(config), "status", status=1).stdout
        assert "1 messages could not be fetched and stay there: UID 2: the connection was lost" in told
        mailbox.odd = lambda *_: None
        call("-c", str(config), "run", "--once")
        assert "could not be fetched" not in call("-c", str(config), "status", status=1).stdout
