"""`parse` and `ingest`: the contract of the JSON lines, and history without letters."""

import json
import mailbox
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


@pytest.mark.corpus
@pytest.mark.skipif(not OFFICE_365, reason="the corpus is not beside this checkout")
def test_office_365_samples_give_recipients_and_codes() -> None:
    items = parse(*OFFICE_365)
    assert len(items) == len(OFFICE_365)
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
    again = json.loads(call("-c", str(config), "ingest", str(old), "--json").stdout)
    assert again["messages"] == 0
