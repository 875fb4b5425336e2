"""`status`: one line and an exit status for a monitor, a table for people."""

import json
from pathlib import Path

from tests.cli.conftest import call


def test_a_store_that_nobody_works_with_any_more_is_critical(demo: Path) -> None:
    """The sample week lies in the past, so its mailbox is stale."""
    done = call("-c", str(demo / "config.toml"), "status", status=2)
    first, *parts = done.stdout.splitlines()
    assert first.startswith("BOUNCE-WATCH CRITICAL - mailbox ")
    assert "| pending=" in first
    assert first.count("|") == 1
    assert [line for line in parts if line.startswith("CRITICAL")]


def test_status_as_json_names_every_part(demo: Path) -> None:
    told = json.loads(call("-c", str(demo / "config.toml"), "status", "--json", status=2).stdout)
    assert told["status"] == "critical"
    assert {"service", "pending", "held", "unknown", "failed", "quarantine", "breaker", "sending"} <= {
        part["name"] for part in told["parts"]
    }


def test_without_a_configuration_the_status_is_unknown(tmp_path: Path) -> None:
    done = call("-c", str(tmp_path / "none.toml"), "status", status=3)
    assert done.stdout.startswith("BOUNCE-WATCH UNKNOWN - no configuration file was found")
    told = json.loads(call("-c", str(tmp_path / "none.toml"), "status", "--json", status=3).stdout)
    assert told["status"] == "unknown"
