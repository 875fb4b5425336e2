"""The test suite of RFC 7208 (release 2014.04, its license beside it): the evaluator passes all 203 cases."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import spftrace
import yaml

SUITE = Path(__file__).with_name("rfc7208-tests.yml")
SCENARIOS = list(yaml.safe_load_all(SUITE.read_text(encoding="utf-8")))
CASES = [
    pytest.param(scenario["zonedata"], case, id=name)
    for scenario in SCENARIOS
    for name, case in scenario["tests"].items()
]


def zone_of(given: dict[str, Any]) -> dict[str, object]:
    """Return the zone of a scenario as spftrace has it. SPF records stand for TXT where there is none."""
    zone: dict[str, object] = {}
    for name, records in given.items():
        if records in ("TIMEOUT", ["TIMEOUT"]):
            zone[name] = "TIMEOUT"
            continue
        rows = [_row(record) for record in records]
        if not any(kind in ("TXT", "*") for kind, _ in rows):
            rows += [("TXT", value) for kind, value in rows if kind == "SPF"]
        zone[name] = [(kind, value) for kind, value in rows if value != "NONE"]
    return zone


def _row(record: Any) -> tuple[str, str]:
    if record == "TIMEOUT":
        return "*", "TIMEOUT"
    ((kind, value),) = record.items()
    if kind == "MX":
        return kind, str(value[1])
    return kind, "".join(map(str, value)) if isinstance(value, list) else str(value)


def test_the_suite_is_whole() -> None:
    assert len(CASES) == 203


@pytest.mark.parametrize(("given", "case"), CASES)
def test_a_case_of_the_suite(given: dict[str, Any], case: dict[str, Any]) -> None:
    evaluator = spftrace.Evaluator(spftrace.ZoneResolver(zone_of(given)), spftrace.Limits())
    found = asyncio.run(evaluator.evaluate(case["host"], case.get("mailfrom", ""), case.get("helo", "")))
    wanted = case["result"] if isinstance(case["result"], list) else [case["result"]]
    assert found.result in wanted
    if found.explanation is not None and "explanation" in case:
        assert found.explanation == case["explanation"]
