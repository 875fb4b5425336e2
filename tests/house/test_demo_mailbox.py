"""The sample mailbox: written by its generator, well formed, and read as its story says."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bounce_watch.classify import judge
from bounce_watch.config.load import load_config
from bounce_watch.detect import evaluate, key_of, load_rules
from bounce_watch.model import Bounce, Cause, Event, Evidence, Report, Unreadable
from bounce_watch.parse import read
from bounce_watch.sandbox.jobs import shipped_catalogue

ROOT = Path(__file__).parent.parent.parent
DEMO = ROOT / "data" / "demo"
EXPECTED: dict[str, Any] = json.loads((DEMO / "expected.json").read_text(encoding="utf-8"))
FILES: list[dict[str, Any]] = EXPECTED["files"]
DOCUMENTATION_ADDRESS = re.compile(r"192\.0\.2\.\d+|198\.51\.100\.\d+|203\.0\.113\.\d+")


def test_the_generator_writes_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    """The story is changed in one place, the generator; samples are never edited by hand."""
    generator = ROOT / "tools" / "make_demo_mailbox.py"
    subprocess.run([sys.executable, generator, tmp_path], check=True, capture_output=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_bytes() for path in DEMO.iterdir() if path.suffix in {".eml", ".json"}}
    assert written.keys() == committed.keys()
    assert [name for name in written if written[name] != committed[name]] == []


def test_the_mailbox_is_a_week_of_at_least_seventy_mails() -> None:
    days = {row["arrived_at"][:10] for row in FILES}
    assert EXPECTED["messages"] == len(FILES) == len(list(DEMO.glob("*.eml"))) >= 70
    assert days == {f"2026-11-{day:02}" for day in range(9, 14)}


@pytest.mark.parametrize("row", FILES, ids=lambda row: row["file"])
def test_a_mail_is_small_and_has_internet_line_ends(row: dict[str, Any]) -> None:
    raw = (DEMO / row["file"]).read_bytes()
    assert len(raw) < 20_000
    if row["kinds"] != ["unreadable"]:
        assert b"\n" not in raw.replace(b"\r\n", b"")


def test_no_mail_names_an_address_that_belongs_to_somebody() -> None:
    """Only the documentation ranges of RFC 5737 and the reserved names of RFC 2606 may appear."""
    for path in DEMO.glob("*.eml"):
        text = path.read_bytes().replace(b"=\r\n", b"").decode("latin-1")
        dotted = set(re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text))
        domains = set(re.findall(r"@[a-z][a-z0-9.-]*\.([a-z]{2,})\b", text))
        assert all(DOCUMENTATION_ADDRESS.fullmatch(address) for address in dotted), path.name
        assert domains <= {"example"}, path.name


@pytest.mark.parametrize("row", FILES, ids=lambda row: row["file"])
def test_a_mail_is_read_as_the_story_says(row: dict[str, Any]) -> None:
    readings = read((DEMO / row["file"]).read_bytes())
    kinds = ["unreadable" if isinstance(one, Unreadable) else one.kind.value for one in readings]
    assert kinds == row["kinds"]


def test_only_the_copies_share_a_fingerprint() -> None:
    """A report delivered twice and a journal copy are the same report; no other two are."""
    seen: set[str] = set()
    repeated = []
    for row in FILES:
        for one in read((DEMO / row["file"]).read_bytes()):
            if isinstance(one, Report):
                repeated += [row["file"]] if one.fingerprint in seen else []
                seen.add(one.fingerprint)
    assert repeated == [row["file"] for row in FILES if row.get("repeats")]
    assert len(repeated) == EXPECTED["duplicates"]


def week() -> Iterator[tuple[datetime, Event]]:
    """Yield the bounces of the week as the rules see them, copies left out, each with its arrival."""
    site = load_config(DEMO / "config.toml").site
    catalogue = shipped_catalogue()
    seen: set[str] = set()
    for number, row in enumerate(FILES):
        arrived = datetime.fromisoformat(row["arrived_at"])
        for report in read((DEMO / row["file"]).read_bytes()):
            if isinstance(report, Report) and report.fingerprint not in seen:
                seen.add(report.fingerprint)
                for bounce in judge(report, catalogue, site):
                    yield arrived, event(number, arrived, bounce)


def event(number: int, arrived: datetime, bounce: Bounce) -> Event:
    return Event(
        bounce_id=number,
        message_id=number,
        occurred_at=bounce.occurred_at or arrived,
        cause=bounce.cause,
        status=bounce.status,
        side=bounce.side,
        evidence=bounce.evidence,
        sender=bounce.sender,
        sender_domain=bounce.sender_domain,
        recipient=bounce.recipient,
        recipient_domain=bounce.recipient_domain,
    )


def test_the_week_raises_exactly_the_incidents_of_its_story() -> None:
    """The forged report on a colleague, the ordinary typos and the single blocklist raise none.

    What DNS proves needs the demo, which answers its questions.
    """
    rules = load_rules((ROOT / "data" / "rules.toml").read_text(encoding="utf-8"))
    events: dict[tuple[str, str], list[Event]] = {}
    opened: list[dict[str, str]] = []
    for now, found in week():
        for rule in rules:
            key = key_of(rule, found, frozenset({Evidence.INTERNAL, Evidence.MEMBER}))
            if key is None:
                continue
            events.setdefault((rule.id, key), []).append(found)
            incident = {"rule": rule.id, "key": key}
            if incident not in opened and evaluate(rule, key, events[rule.id, key], now):
                opened.append(incident)
    assert opened == [one for one in EXPECTED["incidents"] if not one["rule"].startswith("dns_proven")]


def test_the_forged_report_is_not_believed() -> None:
    """It claims that Maja's account was blocked, comes from outside, and must stay without effect."""
    blocked = [found for _, found in week() if found.cause is Cause.SENDER_BLOCKED]
    assert {(found.sender, found.evidence) for found in blocked} == {
        ("jonas.weber@larkfield.example", Evidence.INTERNAL),
        ("jonas.weber@larkfield.example", Evidence.MEMBER),  # he forwards one himself
        ("maja.nowak@larkfield.example", Evidence.CONTRADICTORY),
    }


def test_the_configuration_of_the_demo_is_valid() -> None:
    config = load_config(DEMO / "config.toml")
    assert config.site.accepted_domains == {"larkfield.example", "larkfield-labs.example"}
    assert config.source[0].type == "maildir"
    assert config.send.type == "folder"
