"""The demo: the main job on the embedded store, with nothing but Python."""

import json
import shutil
from pathlib import Path

from bounce_watch.resources import data_file
from tests.cli.conftest import call

EXPECTED = json.loads((data_file("demo") / "expected.json").read_text())


def test_the_week_gives_the_messages_incidents_and_duplicates_that_were_planted(demo: Path) -> None:
    config = str(demo / "config.toml")
    found = [
        json.loads(line) for line in call("-c", config, "incidents", "list", "--json").stdout.splitlines()
    ]
    planted = {(one["rule"], one["key"]) for one in EXPECTED["incidents"]}
    assert {(one["rule"], one["key"]) for one in found} == planted
    again = call("demo", "--folder", str(demo)).stdout
    assert "Nothing is new" in again
    assert str(EXPECTED["messages"]) in again


def test_a_second_run_writes_to_nobody(demo: Path) -> None:
    before = sorted(path.name for path in (demo / "sent").iterdir())
    call("demo", "--folder", str(demo))
    assert sorted(path.name for path in (demo / "sent").iterdir()) == before


def test_every_mail_of_the_week_is_written_once(demo: Path) -> None:
    marks = [
        line
        for mail in (demo / "sent").glob("*.eml")
        for line in mail.read_text().splitlines()
        if line.startswith("X-Bounce-Watch-ID:")
    ]
    assert len(marks) == len(set(marks)) > 20


def test_the_demo_names_paths_that_exist(demo: Path) -> None:
    out = call("demo", "--folder", str(demo)).stdout
    places = [word for word in out.split() if word.startswith(str(demo)) and word.endswith(".html")]
    assert len(places) == 3
    assert all(Path(place).is_file() for place in places)


def test_fresh_removes_an_earlier_demo_and_nothing_else(tmp_path: Path, demo: Path) -> None:
    precious = tmp_path / "not-a-demo"
    precious.mkdir()
    (precious / "file").write_text("mine")
    call("demo", "--fresh", "--folder", str(precious))
    assert (precious / "file").read_text() == "mine"
    copy = tmp_path / "copy"
    shutil.copytree(demo, copy)
    (copy / "stale").touch()
    call("demo", "--fresh", "--folder", str(copy))
    assert not (copy / "stale").exists()
