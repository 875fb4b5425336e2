"""Logs: for people as text, for machines as JSON, for the journal with priorities; addresses are cut."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import structlog
from bounce_watch.cli.common.logs import set_up_logs
set_up_logs({form!r}, shown={shown})
log = structlog.get_logger()
log.info("looked", about="lena.berg@larkfield.example and -Identity 'bounces@larkfield.example'")
try:
    raise ValueError("lena.berg@larkfield.example\\x1b[2J")
except ValueError:
    log.exception("message_failed", uid="7")
"""


def lines(
    form: str = "text", shown: object = ("Bounces@larkfield.example",), *, journal: bool = False
) -> list[str]:
    read, write = os.pipe()
    status = os.fstat(write)
    environ = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino if journal else 1}"}
    program = PROGRAM.format(form=form, shown=shown)
    subprocess.run([sys.executable, "-c", program], stderr=write, env=environ, check=True)
    os.close(write)
    with os.fdopen(read) as told:
        return told.read().splitlines()


def test_an_address_is_cut_unless_it_is_ours() -> None:
    first, *rest = lines()
    assert "l…@larkfield.example and -Identity 'bounces@larkfield.example'" in first
    assert "lena.berg" not in " ".join(rest)


def test_whole_addresses_are_shown_where_the_site_wants_them() -> None:
    assert "lena.berg@larkfield.example" in lines(shown=None)[0]


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_journal_gets_a_priority_on_every_line(form: str) -> None:
    first, second, *trace = lines(form, journal=True)
    assert first.startswith("<6>")
    assert second.startswith("<3>")
    assert all(line.startswith("<3>") for line in trace)


def test_what_is_redirected_gets_no_priority_although_systemd_started_us() -> None:
    assert not lines()[0].startswith("<")


def test_json_is_one_object_a_line() -> None:
    looked, failed = map(json.loads, lines("json"))
    assert (looked["event"], looked["level"]) == ("looked", "info")
    assert failed["uid"] == "7"
    assert "ValueError" in failed["exception"]
