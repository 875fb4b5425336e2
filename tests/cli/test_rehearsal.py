"""`run --dry-run`: what would happen to each mail, why, and the next step; nothing is stored."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG, ndr


@pytest.fixture
def rehearsed(tmp_path: Path) -> Path:
    """Return the configuration of a mailbox with a genuine report and two without Exchange's mark."""
    (tmp_path / "config.toml").write_text(CONFIG)
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mailbox" / name).mkdir(parents=True)
    at = datetime.now(UTC) - timedelta(minutes=5)
    people = ("lena@larkfield.example", "omar@larkfield.example", "rosa@larkfield.example")
    for number, sender in enumerate(people):
        raw = ndr(sender, number=number, at=at)
        if number:
            raw = raw.replace(b"X-MS-Exchange-Organization-AuthAs: Internal\n", b"")
            raw = raw.replace(b"X-MS-Exchange-Organization-AuthAs: Internal\r\n", b"")
        (tmp_path / "mailbox" / "new" / f"{number}.a").write_bytes(raw)
    return tmp_path / "config.toml"


def test_each_mail_is_listed_with_its_reason_and_the_next_step(rehearsed: Path) -> None:
    done = call("-c", str(rehearsed), "run", "--dry-run", "--once", environ={"COLUMNS": "130"})
    said = " ".join(done.stdout.split())
    for wanted in ("lena@larkfield.example", "omar@larkfield.example", "rosa@larkfield.example"):
        assert wanted in said
    assert "reply to lena@larkfield.example" in said
    assert said.count("stored, no reply") == 2
    assert "2 of these are not verified as ours" in said
    for line in ("bounce-watch calibrate --mailbox", "    [trust]", '    authority = "mailbox"'):
        assert line in done.stdout
    assert "ID" not in done.stderr
    assert not (rehearsed.parent / "store.db").exists()


def test_the_lines_it_names_make_the_reports_count(rehearsed: Path) -> None:
    said = call("-c", str(rehearsed), "run", "--dry-run", "--once").stdout
    lines = said[said.index("    [trust]") :].split("\n\n", maxsplit=1)[0]
    rehearsed.write_text(CONFIG + lines.replace("    ", ""))
    again = call("-c", str(rehearsed), "run", "--dry-run", "--once").stdout
    assert "not verified as ours" not in again
    assert again.count("reply to ") == 3
