"""A store at a server from the command line: moved there and back, cared for, and asked for one person."""

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bounce_watch.config.load import load_config
from bounce_watch.store import ProcessLock, Server, open_store, store_location
from bounce_watch.store.database.location import work_with
from tests.cli.conftest import call, failures
from tests.pipeline.conftest import ndr
from tests.servers.stores import Stores

PERSON = "jonas.weber@larkfield.example"


def run(config: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    return call("-c", str(config), *arguments, status=status)


def told(config: Path, *arguments: str) -> list[str]:
    """Return JSON lines of a question."""
    return run(config, *arguments, "--json").stdout.splitlines()


def url_of(config: Path) -> str:
    url = load_config(config).store.url
    assert url is not None
    return url.get_secret_value()


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(("history", "--limit", "0"), id="history"),
        pytest.param(("incidents", "list"), id="incidents"),
        pytest.param(("outbox", "list"), id="outbox"),
        pytest.param(("top", "sender"), id="top"),
    ],
)
def test_what_moved_to_a_server_answers_as_before(
    demo_in_file: Path, demo_at_server: Path, question: tuple[str, ...]
) -> None:
    answers = [told(folder / "config.toml", *question) for folder in (demo_in_file, demo_at_server)]
    assert answers[0] == answers[1] != []


def test_it_moves_back_into_a_file_with_its_figures(site_at_server: Path, tmp_path: Path) -> None:
    done = run(site_at_server, "db", "copy", "--to", str(tmp_path / "back.db"), "--json")
    counts = {line["table"]: line["rows"] for line in map(json.loads, done.stdout.splitlines())}
    assert counts["bounce"] == len(told(site_at_server, "history", "--limit", "0"))
    assert "each row was read back and compared" in done.stderr
    assert f'path = "{tmp_path}/back.db" and no url' in done.stderr
    with open_store(tmp_path / "back.db", read_only=True) as store:
        assert store.history.count() == counts["bounce"]
    assert (tmp_path / "back.db").stat().st_mode & 0o777 == 0o600


def test_a_copy_is_refused_where_it_could_do_harm(site_at_server: Path, stores: Stores) -> None:
    """Over a history, onto itself, to what is no place, beside a watcher; no password is shown."""
    there, server = url_of(site_at_server), store_location(load_config(site_at_server).store)
    assert isinstance(server, Server)
    full = stores.postgres.copy(server.url.database or "")
    held = run(site_at_server, "db", "copy", "--to", stores.postgres.url(full), status=1)
    assert "holds something already" in held.stderr
    stores.postgres.drop(full)
    for wrong in (there, "mysql://user@host/db", ""):
        assert "--to" in run(site_at_server, "db", "copy", "--to", wrong, status=2).stderr
    aside = str(site_at_server.parent / "aside.db")
    with work_with(server):
        assert "Stop every watcher" in run(site_at_server, "db", "copy", "--to", aside, status=75).stderr
    with ProcessLock(Path(aside)):
        assert "Stop every watcher" in run(site_at_server, "db", "copy", "--to", aside, status=75).stderr
    away = "postgresql://anna:secret@127.0.0.1:1/none"
    refused = run(site_at_server, "db", "copy", "--to", away, status=75)
    assert "secret" not in refused.stderr
    assert not Path(aside).exists()


def test_what_a_server_does_itself_is_named(site_at_server: Path) -> None:
    backup = run(site_at_server, "db", "backup", status=1)
    assert "pg_dump --format=custom --file=FILE DATABASE" in backup.stderr
    assert "vacuumdb --full DATABASE" in run(site_at_server, "db", "vacuum", status=1).stderr
    assert "Nothing to do" in run(site_at_server, "db", "upgrade").stderr
    assert not failures(site_at_server)


def test_upgrade_makes_the_tables_in_an_empty_database(site_at_server: Path, stores: Stores) -> None:
    text = site_at_server.read_text()
    site_at_server.write_text(
        text.replace(url_of(site_at_server), stores.postgres.url(stores.postgres.database()))
    )
    for command in (("history",), ("db", "copy", "--to", f"{site_at_server.parent}/aside.db")):
        assert "no store at postgresql://" in run(site_at_server, *command, status=1).stderr
    assert "now has shape" in run(site_at_server, "db", "upgrade").stderr
    assert told(site_at_server, "history") == []


def test_a_person_is_exported_and_forgotten_there_too(site_at_server: Path, tmp_path: Path) -> None:
    run(site_at_server, "export", PERSON, "--out", str(tmp_path / "theirs"))
    document = json.loads((tmp_path / "theirs" / "data.json").read_text())
    assert [row["they_are"] for row in document["bounces"]] == ["sender"] * 18
    dry = json.loads(run(site_at_server, "forget", PERSON, "--dry-run", "--json").stdout)
    assert {line["what"]: line["count"] for line in dry["goes"]}["bounces"] == 18
    assert any("vacuumdb --full" in line for line in dry["stays"])
    assert "forgotten-1@" in run(site_at_server, "forget", PERSON, "--yes").stderr
    assert "Nothing is stored" in run(site_at_server, "forget", PERSON, "--yes").stderr
    assert [json.loads(line)["deed"] for line in told(site_at_server, "db", "log")] == ["forget", "export"]
    assert not failures(site_at_server)


def test_old_rows_are_purged_there_too(site_at_server: Path) -> None:
    dry = json.loads(run(site_at_server, "purge", "--before", "2026-11-15", "--dry-run", "--json").stdout)
    assert dry["goes"]["messages"] > 50
    done = run(site_at_server, "purge", "--before", "2026-11-15", "--yes")
    assert f"{dry['goes']['messages']} mails read" in done.stderr
    assert not failures(site_at_server)


def test_a_rehearsal_works_on_a_copy_and_changes_nothing(site_at_server: Path, tmp_path: Path) -> None:
    text, places = re.subn(r'(?m)^path = ".*/mailbox"', 'path = "box"', site_at_server.read_text())
    assert places == 1
    site_at_server.write_text(text)
    for name in ("cur", "new", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    content = ndr("lena@larkfield.example", at=datetime.now(UTC) - timedelta(minutes=5))
    (tmp_path / "box" / "new" / "1.a").write_bytes(content)
    before = told(site_at_server, "stats")
    done = run(site_at_server, "run", "--dry-run")
    assert re.search("Would .* to lena@larkfield.example", done.stderr)
    assert "nothing was stored, moved or sent" in done.stderr
    assert told(site_at_server, "stats") == before
    assert (tmp_path / "box" / "new" / "1.a").exists()
