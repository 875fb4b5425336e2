"""`addresses --dead`: the list with its evidence, and the forms for Outlook and for a CRM."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.conftest import DEMO_STORE, call


def listed(config: Path, *arguments: str) -> list[dict[str, Any]]:
    done = call("-c", str(config), "addresses", "--dead", "--json", *arguments)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_week_has_a_sure_one_and_many_that_are_likely(demo: Path) -> None:
    rows = listed(demo / "config.toml")
    sure = [row for row in rows if row["certainty"] == "sure"]
    assert [(row["address"], row["verdict"], row["messages"]) for row in sure] == [
        ("petra.meier@nordwerk.example", "gone", 2)
    ]
    assert sure[0]["senders"] == ["anna.schulte@larkfield.example"]
    assert (sure[0]["code"], sure[0]["said_by"]) == ("5.1.10", "nordwerk-example.mail.protection.outlook.com")
    assert "not found by SMTP address lookup" in sure[0]["said"]
    assert {row["verdict"] for row in rows} == {"gone", "domain_gone"}
    assert not {row["address"].rpartition("@")[2] for row in rows} & {"larkfield.example", "dokuhaus.example"}


def test_the_table_shows_verdict_evidence_and_who_writes_there(demo: Path) -> None:
    done = call("-c", str(demo / "config.toml"), "addresses", "--dead")
    text = " ".join(done.stdout.split())
    for part in ("petra.meier@nordwerk.example", "sure", "5.1.10", "from anna.schulte@larkfield.example"):
        assert part in text


def test_outlook_gets_a_row_for_each_colleague_and_a_crm_one_for_each_address(demo: Path) -> None:
    def rows(use: str) -> list[dict[str, str]]:
        done = call("-c", str(demo / "config.toml"), "addresses", "--dead", "--for", use)
        return list(csv.DictReader(io.StringIO(done.stdout)))

    everything = listed(demo / "config.toml")
    outlook, crm = rows("outlook"), rows("crm")
    assert len(outlook) == sum(len(row["senders"]) for row in everything)
    assert [row["colleague"] for row in outlook] == sorted(row["colleague"] for row in outlook)
    assert [row["email"] for row in crm] == [row["address"] for row in everything]
    assert set(crm[0]) >= {"email", "status", "certainty", "last_bounced"}


def test_a_hostile_server_writes_no_formula_and_no_new_address(site: Path) -> None:
    store = site.with_name(DEMO_STORE)
    said = "=cmd|' /C calc'!A0 moved to new.one@fabrikam.example"
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(
            "UPDATE bounce SET cause = 'recipient_moved', diagnostic_code = ?, remote_mta = '@SUM(1)' "
            "WHERE recipient_key = 'petra.meier@nordwerk.example'",
            (said,),
        )
    (row,) = [one for one in listed(site) if one["verdict"] == "moved"]
    assert row["new_address"] == "new.one@fabrikam.example"
    cells = next(
        one
        for one in csv.DictReader(io.StringIO(call("-c", str(site), "addresses", "--dead", "--csv").stdout))
        if one["verdict"] == "moved"
    )
    assert (cells["said"][:2], cells["said_by"]) == ("'=", "'@SUM(1)")


def test_without_dead_or_with_an_unknown_use_it_says_what_is_known(demo: Path) -> None:
    config = str(demo / "config.toml")
    assert "--dead" in call("-c", config, "addresses", status=2).stderr
    assert "outlook" in call("-c", config, "addresses", "--dead", "--for", "outlok", status=2).stderr
