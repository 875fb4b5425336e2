"""`export` and `forget`: what one person gets, and what is shown and asked before they are forgotten."""

import json
import stat
from pathlib import Path
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner, Result

from bounce_watch.cli.app import app
from bounce_watch.config.load import load_config
from bounce_watch.store import ProcessLock, open_store
from bounce_watch.store.privacy.identity import OTHERS, PersonIdentity
from bounce_watch.store.privacy.search import is_in_files
from tests.cli.conftest import failures

PERSON, OTHER = "jonas.weber@larkfield.example", "anna.schulte@larkfield.example"
RECIPIENT = "petra.maier@nordwerk.example"


def run(site: Path, *arguments: str, status: int = 0) -> Result:
    done = CliRunner().invoke(app, ["-c", str(site), *arguments])
    assert done.exit_code == status, done.output
    return done


def test_a_person_gets_all_about_them_and_nobody_else(site: Path) -> None:
    out = site.parent / "theirs"
    run(site, "export", PERSON, "--out", str(out))
    document = json.loads((out / "data.json").read_text())
    assert document["address"] == PERSON
    assert [row["they_are"] for row in document["bounces"]] == ["sender"] * 18
    assert document["bounces"][0]["report"]["original_subject"]
    assert len(document["incidents"]) == 2
    assert document["incidents"][0]["senders"] == [PERSON]
    theirs = [mail for mail in document["mails"] if mail["recipient"] == PERSON]
    assert [(out / mail["file"]).read_bytes()[:5] for mail in theirs] == [b"From:"] * 2
    assert all(PERSON in line for mail in document["mails"] for line in mail.get("lines", ()))
    assert OTHER not in (out / "data.json").read_text()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (out, *out.rglob("*"))}
    assert modes == {0o700, 0o600}


def test_a_recipient_does_not_learn_who_wrote_to_them(site: Path) -> None:
    out = site.parent / "theirs.json"
    run(site, "export", RECIPIENT, "--out", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    document = json.loads(out.read_text())
    assert {(row["they_are"], row["sender"]) for row in document["bounces"]} == {("recipient", OTHERS)}
    assert PERSON not in out.read_text()
    assert "original_subject" not in document["bounces"][0]["report"]


def test_an_archive_holds_the_same_as_the_folder(site: Path) -> None:
    for name in ("theirs", "theirs.zip"):
        run(site, "export", PERSON, "--out", str(site.parent / name))
    with ZipFile(site.parent / "theirs.zip") as archive:
        assert sorted(archive.namelist()) == sorted(
            str(path.relative_to(site.parent / "theirs"))
            for path in (site.parent / "theirs").rglob("*")
            if path.is_file()
        )
        assert json.loads(archive.read("data.json"))["bounces"]
    assert (
        "exists already" in run(site, "export", PERSON, "--out", str(site.parent / "theirs"), status=2).stderr
    )


def test_without_a_place_only_the_figures_are_shown_and_json_prints_the_rows(site: Path) -> None:
    shown = run(site, "export", PERSON)
    assert "18" in shown.stdout
    assert "--out" in shown.stderr
    rows = [json.loads(line) for line in run(site, "export", PERSON, "--json").stdout.splitlines()]
    assert {"bounces", "reports", "mails", "incidents"} <= {row["section"] for row in rows}
    assert "Nothing is stored" in run(site, "export", "nobody@larkfield.example").stderr
    deeds = [json.loads(line) for line in run(site, "db", "log", "--json").stdout.splitlines()]
    assert [(deed["deed"], deed["figures"]["bounces"]) for deed in deeds] == [("export", 18)]


def test_forgetting_says_first_what_goes_and_what_stays_and_asks(site: Path) -> None:
    (site.parent / "bounce-watch.db.old.bak").touch(mode=0o600)
    dry = run(site, "forget", PERSON, "--dry-run", "--json")
    said = json.loads(dry.stdout)
    goes = {line["what"]: line["count"] for line in said["goes"]}
    assert (goes["bounces"], goes["our mails to them"], goes["incidents about them"]) == (18, 2, 2)
    unseen = "vacuumdb --full" if load_config(site).store.url else "bounce-watch.db.old.bak"
    assert any(unseen in line for line in said["stays"])
    assert "--yes" in run(site, "forget", PERSON, status=2).stderr
    assert "forgotten-1@forgotten.invalid" in run(site, "forget", PERSON, "--yes").stderr
    if load_config(site).store.url is None:
        assert not is_in_files(site.parent / "bounce-watch.db", PersonIdentity(PERSON))
    assert not failures(site)
    assert "Nothing is stored" in run(site, "forget", PERSON, "--yes").stderr
    (deed,) = map(json.loads, run(site, "db", "log", "--json").stdout.splitlines())
    assert (deed["deed"], "jonas" in json.dumps(deed)) == ("forget", False)


@pytest.mark.parametrize("address", ["nobody", "a@b", "*@larkfield.example", "mailadmin@larkfield.example"])
def test_what_is_no_person_is_refused(site: Path, address: str) -> None:
    run(site, "forget", address, "--yes", status=2)


@pytest.mark.about_files("its unused room; `forget` names vacuumdb for a server")
def test_room_that_no_row_uses_is_cleaned_when_nobody_works_with_the_file(site: Path) -> None:
    """As an old page may hold it, a longer address holds this one: bytes cannot tell the two apart."""
    path, person = site.parent / "bounce-watch.db", PersonIdentity(OTHER[1:])
    with ProcessLock(path):
        said = run(site, "forget", person.key, "--yes").stderr
    assert "db vacuum" in said
    before = path.stat().st_mtime_ns
    assert "db vacuum" not in run(site, "forget", person.key, "--yes").stderr
    assert path.stat().st_mtime_ns > before
    with open_store(path, read_only=True) as store:
        assert store.people.person(OTHER).sent
