"""`dns` on the command line: one object a question, a record tried before it is published, the history."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question
from bounce_watch.store import open_store
from tests.cli.conftest import call
from tests.pipeline.conftest import CONFIG
from tests.servers.names import NameServer
from tests.store.blank import lay_blank_store
from tests.store.committed import committed

DOMAIN = "larkfield.example"
MICROSOFT = "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:104.47.0.0/17 -all"
NOW = datetime(2026, 11, 30, 9, 12, tzinfo=UTC)
CONTRACT = ["question", "name", "verdict", "record", "why", "publish", "asked_at"]


@pytest.fixture
def names() -> Iterator[NameServer]:
    table = {
        DOMAIN: ["v=spf1 ip4:192.0.2.25 -all"],
        "spf.protection.outlook.com": [MICROSOFT],
        f"_dmarc.{DOMAIN}": ["v=DMARC1; p=reject"],
    }
    with NameServer(table) as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, names: NameServer) -> str:
    section = f'[dns]\nservers = ["127.0.0.1:{names.port}"]\nseconds = 5\n[digest]'
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.replace("[digest]", section))
    return str(path)


def test_each_question_is_one_object(config: str) -> None:
    done = call("-c", config, "dns", DOMAIN, "--ip", "192.0.2.26", "--selector", "s1", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [list(row) for row in rows] == [CONTRACT] * len(rows)
    assert [row["question"] for row in rows] == ["spf", "dkim", "dmarc", "mx", "mta_sts", "ptr"]
    spf, dkim, dmarc, *_ = rows
    assert (spf["verdict"], spf["name"]) == ("fault", DOMAIN)
    assert "192.0.2.26 is not authorized, -all decides: fail" in spf["why"]
    assert spf["publish"] == "v=spf1 ip4:192.0.2.25 ip4:192.0.2.26 -all"
    assert (dkim["verdict"], dkim["name"]) == ("absent", f"s1._domainkey.{DOMAIN}")
    assert (dmarc["verdict"], dmarc["record"]) == ("ok", "v=DMARC1; p=reject")
    assert datetime.fromisoformat(spf["asked_at"]).tzinfo is not None


def test_people_read_a_table_with_the_record_to_publish(config: str) -> None:
    shown = " ".join(call("-c", config, "dns", DOMAIN).stdout.split())
    assert "Exchange Online is not authorized" in shown
    assert "publish:" in shown


def test_without_a_resolver_the_command_says_so(config: str, names: NameServer) -> None:
    path = Path(config)
    path.write_text(path.read_text().replace("seconds = 5", "seconds = 0.1"))
    names.delay = 2
    done = call("-c", config, "dns", DOMAIN, "--json", status=69)
    assert {json.loads(line)["verdict"] for line in done.stdout.splitlines()} == {"unasked"}


def test_a_record_is_tried_before_it_is_published(config: str) -> None:
    good = "v=spf1 ip4:192.0.2.25 include:spf.protection.outlook.com -all"
    done = call("-c", config, "dns", "try", good, "--domain", DOMAIN, "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(row["before"], row["after"]) for row in rows} == {("fail", "pass")}
    assert "the record is sound" in done.stderr
    bad = call("-c", config, "dns", "try", f"{good} ip4:1", "--domain", DOMAIN, "--json", status=1)
    assert "syntax error" in bad.stderr
    call("-c", config, "dns", "try", "ip4:192.0.2.25", "--domain", DOMAIN, status=2)


@pytest.mark.parametrize("arguments", [["a b"], ["x"], [DOMAIN, "--ip", "1.2.3"]], ids=str)
def test_what_is_no_domain_or_address_is_refused(config: str, arguments: list[str]) -> None:
    call("-c", config, "dns", *arguments, status=2)


def test_the_history_lists_each_answer_once_and_a_terminal_gets_no_controls(
    config: str, tmp_path: Path
) -> None:
    lay_blank_store(tmp_path / "store.db")
    answer = DnsFinding(
        question=Question.SPF,
        subject=DOMAIN,
        name=DOMAIN,
        verdict=DnsVerdict.FAULT,
        record="v=spf1 \x1b[31m -all",
        why="x",
        asked_at=NOW,
    )
    with open_store(tmp_path / "store.db") as store:
        committed(store).dns.record([answer, answer])
    done = call("-c", config, "dns", "history", DOMAIN, "--json")
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["record"], row["first_at"]) == ("v=spf1 \x1b[31m -all", NOW.isoformat())
    assert "\x1b" not in call("-c", config, "dns", "history", DOMAIN).stdout
