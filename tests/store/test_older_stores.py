"""Stores that an earlier version made open here, get today's tables and answer as they did there.

`samples/NAME.sqlite3` is such a store, named after its newest migration, and `NAME.expected.json` holds what
that version printed with `--json`, without texts that it wrote anew for each answer. `purged`: bounces are
gone and their counts stay, as `retention.counters = "keep"` wants it.
"""

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.program import run_program

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.sqlite3"))

CONFIG = """
[organisation]
name = "Larkfield Instruments"
accepted_domains = ["larkfield.example", "larkfield-labs.example"]
admins = ["mailadmin@larkfield.example"]
support = "phone 4455"
time_zone = "Europe/Berlin"
[source]
type = "maildir"
path = "mailbox"
[send]
type = "folder"
path = "sent"
[store]
path = "store.db"
[reply]
from_address = "bounces@larkfield.example"
"""


def holds(given: Any, expected: Any) -> bool:
    """Tell whether an answer has every expected value; it may have further keys."""
    if isinstance(expected, dict):
        return all(key in given and holds(given[key], value) for key, value in expected.items())
    if isinstance(expected, list):
        return len(given) == len(expected) and all(map(holds, given, expected))
    return bool(given == expected)


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_an_older_store_answers_as_it_did(sample: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    shutil.copy(sample, tmp_path / "store.db")
    expected = json.loads(sample.with_suffix(".expected.json").read_text(encoding="utf-8"))

    def ask(*arguments: str) -> list[Any]:
        # That version read and showed times in the machine's time zone, which was UTC.
        done = run_program("-c", str(config), "--utc", *arguments, "--json", environ={"TZ": "UTC"})
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    with time_machine.travel(datetime.fromisoformat(expected["asked_at"]), tick=False):
        upgraded = run_program("-c", str(config), "db", "upgrade")
        assert upgraded.returncode == 0, upgraded.stderr
        assert "failure" not in {check["state"] for check in ask("db", "check")}
        for command, answer in expected["answers"].items():
            given = ask(*command.split())
            assert holds(given, answer), f"{command}: {given}"
