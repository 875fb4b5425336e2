"""One clock: people read times in the site's zone, by `output.local`, `rendering.local_time` or a catalog."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent.parent / "bounce_watch"
ROOMS = ("cli", "daemon", "pipeline", "notifications")
"""The rooms that write for people."""

ALLOWED = {
    "cli/common/when.py:site_time": "the clock itself",
    "notifications/rendering/local_time.py:local": "the clock itself",
    "notifications/rendering/local_time.py:short": "takes a local time",
    "notifications/rendering/local_time.py:stamp": "names the zone",
    "notifications/rendering/local_time.py:exact": "for admins elsewhere: UTC, and says so",
    "notifications/rendering/translator.py:moment": "takes a local time",
    "notifications/alert/steps.py:_times": "in commands: UTC with Z",
    "notifications/report_page/page.py:_story": "a key to sort by, not shown",
    "notifications/report_page/page.py:_bounce": "a key to sort by, not shown",
    "notifications/report_page/charts.py:": "days in the site's zone",
    "cli/common/output.py:json_default": "for machines: with its offset",
    "cli/common/output.py:_cell": "for machines: with its offset",
    "cli/common/when.py:_moment": "back to UTC",
    "cli/incidents/case_pack.py:_time": "for support elsewhere: UTC, and the pack says so",
    "cli/incidents/case_pack.py:_facts": "for machines: with its offset",
    "cli/db.py:backup": "in the name of a file: UTC with Z",
    "cli/digest.py:digest": "compares in the site's zone",
    "cli/explain.py:_meaning_lines": "a date",
    "cli/setup/check.py:_check_certificates": "a date",
    "cli/queries/addresses.py:_for_crm": "a date",
    "cli/queries/top.py:_print_periods": "takes times of the site",
    "cli/demo_dates.py:": "dates inside the sample messages",
    "cli/demo.py:": "plays at moments in UTC",
    "pipeline/cycle.py:": "compares, shows nothing",
    "pipeline/digest.py:": "compares, shows nothing; keys of events",
    "pipeline/incidents/mailbox_outage.py:": "keys of events",
    "pipeline/incidents/alerts.py:": "keys of events",
    "pipeline/probe.py:": "keys of events",
    "pipeline/health/judge.py:_digest": "compares in the site's zone; the hour is the configuration's",
    "daemon/work.py:": "in the site's zone",
}


def test_no_time_goes_round_the_one_clock() -> None:
    found = {place for room in ROOMS for file in (PACKAGE / room).rglob("*.py") for place in _times(file)}
    known = {place for place in found if place in ALLOWED or f"{place.partition(':')[0]}:" in ALLOWED}
    assert found - known == set(), "show a time with cli.common.output.local or rendering.local_time"
    used = {*known, *(f"{place.partition(':')[0]}:" for place in known)}
    assert set(ALLOWED) - used == set(), "no longer needed"


def test_the_search_finds_each_way_to_spell_a_time() -> None:
    ways = (
        "at.isoformat()",
        "at.astimezone()",
        "at.strftime('%H')",
        "f'{at:%d %b %H:%M}'",
        "format(at, '%H')",
    )
    assert [way for way in ways if not any(map(_is_time, ast.walk(ast.parse(way))))] == []
    assert not any(map(_is_time, ast.walk(ast.parse("f'{share:.1%} {count:>5} {name:<8}'"))))


def _times(file: Path) -> Iterator[str]:
    """Yield `file:function` for each function that formats or converts a time."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and any(map(_is_time, ast.walk(node))):
            yield f"{file.relative_to(PACKAGE)}:{node.name}"


def _is_time(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="strftime" | "isoformat" | "astimezone" | "ctime")):
            return True
        case ast.Call(func=ast.Name(id="format"), args=[_, ast.Constant(value=str(spec))]):
            return "%" in spec
        case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=str(spec))])):
            return spec.startswith("%")
    return False
