"""`db`: care for the store from the command line."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from typer.testing import CliRunner, Result

from bounce_watch.cli.app import app
from bounce_watch.store import ProcessLock
from bounce_watch.store.database import migrate
from bounce_watch.store.database.sqlite import open_engine, prepare_file
from tests.cli.conftest import call, failures

SERVERS_OWN = "a server has tools of its own; tests/cli/test_at_server.py sees them named"


@pytest.mark.about_files("its modes, pages and backups")
def test_a_sound_store_is_said_to_be_sound(site: Path) -> None:
    lines = call("-c", str(site), "db", "check", "--json").stdout.splitlines()
    found = [json.loads(line) for line in lines]
    assert [line["name"] for line in found] == [
        "files", "pages", "references", "room", "backups",
    ]  # fmt: skip
    assert {line["state"] for line in found} == {"ok"}


@pytest.mark.about_files(SERVERS_OWN)
def test_a_backup_lies_beside_the_store_with_its_time_in_the_name(site: Path) -> None:
    done = call("-c", str(site), "db", "backup")
    copies = list(site.parent.glob("bounce-watch.db.*.bak"))
    assert len(copies) == 1
    assert str(copies[0]) in done.stderr
    refused = call("-c", str(site), "db", "backup", str(copies[0]), status=1)
    assert "--force" in refused.stderr
    call("-c", str(site), "db", "backup", str(copies[0]), "--force")


@pytest.mark.about_files(SERVERS_OWN)
def test_vacuum_and_upgrade_wait_for_the_service_to_rest(site: Path) -> None:
    with ProcessLock(site.parent / "bounce-watch.db"):
        for command in ("vacuum", "upgrade"):
            assert "Another bounce_watch" in call("-c", str(site), "db", command, status=75).stderr
    assert "before" in call("-c", str(site), "db", "vacuum").stderr


@pytest.mark.about_files("a server is not copied before a step")
def test_upgrade_names_the_copy_that_it_made(site: Path) -> None:
    path = site.parent / "bounce-watch.db"
    path.unlink()
    prepare_file(path)
    engine = open_engine(path, read_only=False)
    migrate.migrate(engine, path, head="0006")
    engine.dispose()
    assert "bounce-watch.db.schema-0006.bak" in call("-c", str(site), "db", "upgrade").stderr
    assert "Nothing to do" in call("-c", str(site), "db", "upgrade").stderr


@pytest.mark.about_files("that it is not there")
def test_without_a_store_every_command_says_so(site: Path) -> None:
    (site.parent / "bounce-watch.db").unlink()
    for command in ("check", "backup"):
        assert "no store" in call("-c", str(site), "db", command, status=1).stderr


def at_the_end_of_november(site: Path, *arguments: str) -> Result:
    """Run a command ten days after the sample week."""
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=True):
        return CliRunner().invoke(app, ["-c", str(site), *arguments])


def test_a_purge_is_shown_first_asked_for_and_noted(site: Path) -> None:
    dry = at_the_end_of_november(site, "db", "purge", "--before", "7d", "--dry-run", "--json")
    found = json.loads(dry.stdout)
    assert found["goes"]["messages"] > 50
    assert found["stays"] == {"proof of an incident that stays": 30}
    refused = at_the_end_of_november(site, "db", "purge", "--before", "7d")
    assert (refused.exit_code, "--yes" in refused.stderr) == (2, True)
    too_near = at_the_end_of_november(site, "db", "purge", "--before", "2d")
    assert (too_near.exit_code, "last 7 days" in too_near.stderr) == (2, True)
    done = at_the_end_of_november(site, "db", "purge", "--before", "7d", "--yes")
    assert f"{found['goes']['messages']} mails read" in done.stderr
    (deed,) = map(json.loads, at_the_end_of_november(site, "db", "log", "--json").stdout.splitlines())
    assert (deed["deed"], deed["figures"]["messages"]) == ("purge", found["goes"]["messages"])
    assert not failures(site)


@pytest.mark.about_files("backups beside it")
def test_a_backup_that_is_older_than_the_store_itself_keeps_is_named(site: Path) -> None:
    copy = site.parent / "bounce-watch.db.schema-0001.bak"
    copy.touch(mode=0o600)
    os.utime(copy, (0, 0))
    done = call("-c", str(site), "db", "check", "--json")
    (found,) = [json.loads(line) for line in done.stdout.splitlines() if "backups" in line]
    assert (found["state"], found["repair"]) == ("warning", f"rm '{copy}'")
