"""Every sample mail reads as its .expected.json says."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bounce_watch.parse import read
from bounce_watch.parse.formats import FORMATS
from bounce_watch.unwrap import parse, unwrap

SAMPLES = Path(__file__).parent.parent / "samples"
MAILS = sorted(SAMPLES.glob("*/*.eml"))


def name_of(mail: Path) -> str:
    return f"{mail.parent.name}/{mail.stem}"


@pytest.mark.parametrize("mail", MAILS, ids=name_of)
def test_a_sample_reads_as_expected(mail: Path, as_plain: Any) -> None:
    """All values of all readings; BOUNCE_WATCH_ACCEPT=1 writes a missing file and never overwrites one."""
    expected = mail.with_suffix(".expected.json")
    found = [as_plain(reading) for reading in read(mail.read_bytes())]
    if not expected.exists() and os.environ.get("BOUNCE_WATCH_ACCEPT"):
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(expected.read_text(encoding="utf-8"))


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"], ids=["CRLF", "bare CR"])
@pytest.mark.parametrize("mail", MAILS, ids=name_of)
def test_line_ends_make_no_difference(mail: Path, line_end: bytes, as_plain: Any) -> None:
    """The same reading, whatever ends the lines."""
    lines = mail.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    changed, same = read(lines.replace(b"\n", line_end)), read(lines)
    assert [as_plain(reading) for reading in changed] == [as_plain(reading) for reading in same]


def test_the_formats_that_overlap_are_known() -> None:
    """Which formats besides the chosen one would read a sample: a greedy format shows up here."""
    overlaps = {}
    for mail in MAILS:
        for number, wrapped in enumerate(unwrap(parse(mail.read_bytes())), 1):
            readers = [form.NAME for form in FORMATS if form.read(wrapped) is not None]
            if len(readers) > 1:
                overlaps[f"{name_of(mail)}#{number}"] = readers
    listed = SAMPLES / "overlaps.json"
    if not listed.exists() and os.environ.get("BOUNCE_WATCH_ACCEPT"):
        listed.write_text(json.dumps(overlaps, indent=1) + "\n", encoding="utf-8")
    assert overlaps == json.loads(listed.read_text(encoding="utf-8"))
