"""`parse` and `ingest`: the contract of the JSON lines, and history without letters."""

import json
import mailbox
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG, ndr

KEYS = {"path", "kind", "format", "envelopes", "evidence", "report", "original", "bounces", "error"}
BOUNCE_KEYS = {
    "recipient", "original_recipient", "sender", "action", "status", "reply_code", "cause", "persistence",
    "owner", "side", "remote_mta", "diagnostic_code", "remote_status", "remote_reply_code",
}  # fmt: skip
SAMPLES = Path(__file__).parents[1] / "samples"
OFFICE_365 = sorted(
    Path(__file__).parents[2].glob("../shared/corpus/set-of-emails/bsd/lhost-office365-*.eml")
)


def parse(*paths: Path | str, status: int = 0) -> list[dict]:  # type: ignore[type-arg]
    return [
        json.loads(line)
        for line in call("parse", *map(str, paths), "--json", status=status).stdout.splitlines()
    ]


def test_the_object_has_the_keys_that_others_build_on(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(ndr())
    (item,) = parse(path)
    assert set(item) == KEYS
    assert item["path"] == str(path)
    assert set(item["bounces"][0]) >= BOUNCE_KEYS
    assert item["bounces"][0]["status"] == "5.1.10"


@pytest.mark.slow
def test_a_folder_a_maildir_an_mbox_and_standard_input_are_read(tmp_path: Path) -> None:
    folder, maildir, box = tmp_path / "folder", tmp_path / "maildir", tmp_path / "box.mbox"
    folder.mkdir()
    (folder / "a.eml").write_bytes(ndr(number=1))
    mailbox.Maildir(maildir).add(ndr(number=2))
    with closing(mailbox.mbox(box)) as collected:
        for number in (3, 4):
            collected.add(ndr(number=number))
    items = parse(folder, maildir, box)
    assert [item["kind"] for item in items] == ["failure"] * 4
    assert len({item["path"] for item in items}) == 4
    done = subprocess.run(
        [sys.executable, "-m", "bounce_watch", "parse", "-", "--json"],
        input=ndr(),
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["kind"] == "failure"


def test_a_file_that_cannot_be_read_is_a_line_and_no_failure_of_the_rest(tmp_path: Path) -> None:
    good = tmp_path / "a.eml"
    good.write_bytes(ndr())
    items = parse(good, tmp_path / "missing.eml")
    assert [item["kind"] for item in items] == ["failure", "unreadable"]
    assert items[1]["error"]
    parse(tmp_path / "missing.eml", status=1)


def test_what_cannot_be_opened_in_a_folder_is_a_line_after_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.eml").symlink_to(tmp_path / "nowhere.eml")
    (tmp_path / "b.eml").write_bytes(ndr())
    os.mkfifo(tmp_path / "c.eml")
    items = parse(tmp_path)
    assert [(Path(item["path"]).name, item["kind"]) for item in items] == [
        ("b.eml", "failure"),
        ("a.eml", "unreadable"),
        ("c.eml", "unreadable"),
    ]


@pytest.mark.slow
def test_all_cores_print_the_same_lines_in_the_same_order(tmp_path: Path) -> None:
    """Enough copies that the work is handed to other processes."""
    folder = tmp_path / "copies"
    folder.mkdir()
    for number in range(5):
        (folder / str(number)).symlink_to(SAMPLES, target_is_directory=True)
    folders = sorted(folder.iterdir())
    one = call("parse", *map(str, folders), "--json", "--jobs", "1").stdout
    assert call("parse", *map(str, folders), "--json", "--jobs", "3").stdout == one
    names = [json.loads(line)["path"] for line in one.splitlines()]
    assert len(set(names)) > 900
    assert list(dict.fromkeys(names)) == [
        str(path) for folder in folders for path in walked(folder) if str(path) in set(names)
    ]


def walked(folder: Path) -> list[Path]:
    return [Path(root, name) for root, names in tree(folder) for name in names]


def tree(folder: Path) -> list[tuple[str, list[str]]]:
    found = []
    for root, below, names in os.walk(folder):
        below.sort()
        found.append((root, sorted(names)))
    return found


@pytest.mark.parametrize(
    "mails",
    [
        pytest.param(sorted(SAMPLES.glob("exchange_online/*.eml")), id="ours"),
        pytest.param(OFFICE_365, id="public", marks=pytest.mark.corpus),
    ],
)
def test_office_365_samples_give_recipients_and_codes(mails: list[Path]) -> None:
    if not mails:
        pytest.skip("the corpus is not beside this checkout")
    items = parse(*mails)
    assert len(items) == len(mails)
    assert all(bounce["recipient"] and bounce["status"] for item in items for bounce in item["bounces"])


def test_ingest_fills_the_history_and_writes_to_nobody(tmp_path: Path) -> None:
    (tmp_path / "mailbox").mkdir()
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    old = tmp_path / "old"
    old.mkdir()
    for number in range(3):
        content = ndr(
            number=number, reply="550 5.1.8 bad outbound sender AS(42004)", status="5.1.8", remote=None
        )
        (old / f"{number}.eml").write_bytes(content)
    (figures,) = map(json.loads, call("-c", str(config), "ingest", str(old), "--json").stdout.splitlines())
    assert (figures["messages"], figures["bounces"], figures["letters"]) == (3, 3, 0)
    assert len(list(old.iterdir())) == 3
    assert call("-c", str(config), "outbox", "list", "--json").stdout == ""
    os.mkfifo(old / "pipe.eml")
    again = json.loads(call("-c", str(config), "ingest", str(old), "--json").stdout)
    assert (again["messages"], again["skipped"]) == (0, 1)


@pytest.mark.slow
def test_ingest_on_all_cores_stores_what_one_stores_and_copies_once(tmp_path: Path) -> None:
    """An mbox that holds each report twice: read ahead together, stored once."""
    (tmp_path / "mailbox").mkdir()
    box = tmp_path / "box.mbox"
    with closing(mailbox.mbox(box)) as collected:
        for number in [*range(150), *range(150)]:
            collected.add(ndr(number=number, sender=f"p{number}@larkfield.example"))
    stored = []
    for jobs in ("1", "3"):
        folder = tmp_path / jobs
        folder.mkdir()
        (folder / "config.toml").write_text(CONFIG)
        path = str(folder / "config.toml")
        figures = json.loads(call("-c", path, "ingest", str(box), "--json", "--jobs", jobs).stdout)
        rows = call("-c", path, "history", "--json", "--limit", "0", "--oldest").stdout.splitlines()
        stored.append((figures["messages"], figures["bounces"], [json.loads(row)["sender"] for row in rows]))
    assert stored[0] == stored[1]
    assert stored[0][:2] == (150, 150)
