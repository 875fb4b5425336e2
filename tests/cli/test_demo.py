"""The demo: the main job on the embedded store, with nothing but Python."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bounce_watch.shipped_files import data_file
from tests.cli.conftest import call

# One worker: its tests play one folder again.
pytestmark = pytest.mark.xdist_group("demo")

REPLIES = list((Path(str(data_file("demo"))) / "replies").glob("*.eml"))
EXPECTED = json.loads((data_file("demo") / "expected.json").read_text())


@pytest.fixture(scope="module")
def played(demo_in_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo that may be played again."""
    folder = tmp_path_factory.mktemp("demo-again") / "out"
    shutil.copytree(demo_in_file, folder)
    config = folder / "config.toml"
    config.write_text(config.read_text().replace(str(demo_in_file), str(folder)))
    with closing(sqlite3.connect(folder / "bounce-watch.db")) as connection, connection:
        connection.execute(
            "UPDATE message SET mailbox = replace(mailbox, ?, ?)", (str(demo_in_file), str(folder))
        )
    return folder


def test_the_week_gives_the_messages_incidents_and_duplicates_that_were_planted(played: Path) -> None:
    config = str(played / "config.toml")
    found = [
        json.loads(line) for line in call("-c", config, "incidents", "list", "--json").stdout.splitlines()
    ]
    planted = {(one["rule"], one["key"]) for one in EXPECTED["incidents"]}
    assert {(one["rule"], one["key"]) for one in found} == planted
    again = call("demo", "--folder", str(played)).stdout
    assert "Nothing is new" in again
    assert str(EXPECTED["messages"] + len(REPLIES)) in again


def test_every_persons_reply_of_the_week_is_heard_and_no_programs(played: Path) -> None:
    config = str(played / "config.toml")
    mails = [
        json.loads(line)
        for line in call("-c", config, "outbox", "list", "--limit", "500", "--json").stdout.splitlines()
    ]
    asked = {mail["subject"].partition(" ")[0] for mail in mails if mail["kind"] == "question"}
    people = {f"{name}@larkfield.example" for name in ("claire.moreau", "felix.hoffmann", "lukas.klein")}
    assert asked == people
    assert [mail["to"] for mail in mails if mail["kind"] == "confirmation"] == ["mailadmin@larkfield.example"]
    assert len(REPLIES) == len(people) + 2
    left = [path.name for path in (played / "mailbox" / "new").iterdir()]
    assert [name for name in left if "away" in name]
    rows = [json.loads(line) for line in call("-c", config, "answers", "--json").stdout.splitlines()]
    assert sum(row["asked"] + row["again"] for row in rows) >= len(people)


def test_a_second_run_writes_to_nobody(played: Path) -> None:
    before = sorted(path.name for path in (played / "sent").iterdir())
    call("demo", "--folder", str(played))
    assert sorted(path.name for path in (played / "sent").iterdir()) == before


def test_every_mail_of_the_week_is_written_once(played: Path) -> None:
    marks = [
        line
        for mail in (played / "sent").glob("*.eml")
        for line in mail.read_text().splitlines()
        if line.startswith("X-Bounce-Watch-ID:")
    ]
    assert len(marks) == len(set(marks)) > 20


def test_the_demo_names_paths_that_exist(played: Path) -> None:
    out = call("demo", "--folder", str(played)).stdout
    places = [word for word in out.split() if word.startswith(str(played)) and word.endswith(".html")]
    assert len(places) == 3
    assert all(Path(place).is_file() for place in places)


def test_fresh_removes_an_earlier_demo_and_nothing_else(tmp_path: Path, played: Path) -> None:
    precious = tmp_path / "not-a-demo"
    precious.mkdir()
    (precious / "file").write_text("mine")
    call("demo", "--fresh", "--folder", str(precious))
    assert (precious / "file").read_text() == "mine"
    copy = tmp_path / "copy"
    shutil.copytree(played, copy)
    (copy / "stale").touch()
    call("demo", "--fresh", "--folder", str(copy))
    assert not (copy / "stale").exists()
