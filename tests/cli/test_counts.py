"""`top`, `trend` and `stats`: figures that agree with the bounces they count."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bounce_watch.cli.common.charts import Step, bar, change, fitting, line, starts
from tests.cli.conftest import call

Ask = Callable[..., list[dict[str, Any]]]
JONAS = "jonas.weber@larkfield.example"
WEEK = ("--since", "2026-11-09", "--until", "2026-11-14")


def test_a_trend_counts_each_failed_mail_once(demo: Path, ask: Ask) -> None:
    days = ask("trend", "--by", "day", *WEEK)
    assert [day["from"][:10] for day in days] == [f"2026-11-{number:02}" for number in range(9, 14)]
    out = call("-c", str(demo / "config.toml"), "stats", "--json").stdout
    assert sum(day["mails"] for day in days) == json.loads(out)["store"]["messages"]["failure"]


def test_a_trend_obeys_its_filter(ask: Ask) -> None:
    days = ask("trend", "--by", "day", "--sender", JONAS, *WEEK)
    assert {cause for day in days for cause in day["causes"]} == {"recipient_unknown", "sender_blocked"}
    (mails,) = [row["mails"] for row in ask("top", "sender", *WEEK) if row["sender"] == JONAS]
    assert sum(day["mails"] for day in days) == mails


def test_the_hours_of_a_day_add_up_to_it(ask: Ask) -> None:
    hours = ask("trend", "--by", "hour", "--since", "2026-11-10", "--until", "2026-11-11")
    (day,) = ask("trend", "--by", "day", "--since", "2026-11-10", "--until", "2026-11-11")
    assert len(hours) == 24
    assert sum(hour["mails"] for hour in hours) == day["mails"] > 0


def test_a_trend_is_drawn_with_its_causes(demo: Path) -> None:
    out = call("-c", str(demo / "config.toml"), "trend", *WEEK, "--by", "day").stdout
    tuesday = next(row for row in out.splitlines() if "Tue 10 Nov" in row)
    assert "█" * 40 in tuesday
    assert "Address does not exist" in out
    assert "All" in out


def test_a_trend_as_csv_has_a_column_for_each_cause(demo: Path) -> None:
    out = call("-c", str(demo / "config.toml"), "trend", "--csv", "--by", "day", *WEEK).stdout
    rows = list(csv.DictReader(io.StringIO(out)))
    assert all(
        int(row["mails"]) == sum(int(row[name]) for name in row if name not in ("from", "mails"))
        for row in rows
    )


def test_a_time_that_ends_before_it_begins_is_refused(demo: Path) -> None:
    wrong = call("-c", str(demo / "config.toml"), "trend", "--since", "1d", "--until", "2026-11-01", status=2)
    assert "begins after its end" in wrong.stderr


def test_stats_of_a_filter_agree_with_the_history(ask: Ask) -> None:
    (figures,) = ask("stats", "--cause", "spf_failed")
    rows = ask("history", "--cause", "spf_failed", "--limit", "0")
    assert figures["bounces"] == len(rows)
    assert figures["cause"] == {"spf_failed": len({row["report_id"] for row in rows})}
    assert "store" not in figures


def test_stats_show_the_whole_store(demo: Path) -> None:
    out = call("-c", str(demo / "config.toml"), "stats").stdout
    assert "Owners" in out
    assert "Mails written   34 reply, 12 alert, 6 digest" in out
    assert "In quarantine   1" in out


def test_stats_say_when_nothing_is_there(demo: Path) -> None:
    out = call("-c", str(demo / "config.toml"), "stats", "--domain", "nowhere.example").stdout
    assert "No bounces found." in out


def test_history_finds_the_bounces_of_one_mail(ask: Ask) -> None:
    (row,) = [row for row in ask("history", "--limit", "0") if row["id"] == 36]
    found = ask("history", "--mail", row["original_message_id"].strip("<>"))
    assert {one["original_message_id"] for one in found} == {row["original_message_id"]}
    by_subject = ask("history", "--subject", row["subject"])
    assert {one["subject"] for one in by_subject} == {row["subject"]}
    assert ask("history", "--subject", "no such subject") == []


def test_history_is_sorted_by_what_is_asked(ask: Ask) -> None:
    rows = ask("history", "--sort", "domain", "--limit", "0")
    domains = [row["recipient"].rpartition("@")[2].lower() for row in rows if "@" in row["recipient"]]
    counts = Counter(domains)
    assert domains == [name for name in sorted(counts) for _ in range(counts[name])]


@pytest.mark.parametrize(
    ("value", "most", "drawn"),
    [
        pytest.param(0, 10, "", id="nothing"),
        pytest.param(10, 10, "████", id="the most"),
        pytest.param(5, 10, "██", id="half"),
        pytest.param(1, 10_000, "▏", id="never drawn as nothing"),
        pytest.param(9, 32, "█▏", id="to an eighth"),
    ],
)
def test_a_bar_is_as_long_as_its_value(value: int, most: int, drawn: str) -> None:
    assert bar(value, most, 4) == drawn


def test_a_line_shows_each_value_beside_the_others() -> None:
    assert line([0, 1, 4, 8]) == " ▁▄█"
    assert line([]) == ""


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        pytest.param(150, 100, "50 % more", id="more"),
        pytest.param(50, 100, "50 % less", id="less"),
        pytest.param(1000, 1001, "as before", id="too little to tell"),
        pytest.param(3, 0, "new", id="new"),
        pytest.param(0, 0, "as before", id="nothing, as before"),
    ],
)
def test_a_change_is_said_in_percent(now: int, before: int, said: str) -> None:
    assert change(now, before) == said


@pytest.mark.parametrize(
    ("span", "step"),
    [
        pytest.param(timedelta(days=2), Step.HOUR, id="two days"),
        pytest.param(timedelta(days=30), Step.DAY, id="a month"),
        pytest.param(timedelta(days=365), Step.WEEK, id="a year"),
    ],
)
def test_the_step_fits_the_screen(span: timedelta, step: Step) -> None:
    assert fitting(span) is step


def test_a_day_of_25_hours_is_one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """25 October 2026: clocks went back in Europe."""
    import time

    berlin = ZoneInfo("Europe/Berlin")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        found = starts(
            datetime(2026, 10, 24, tzinfo=berlin).astimezone(UTC),
            datetime(2026, 10, 27, tzinfo=berlin).astimezone(UTC),
            Step.DAY,
        )
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [at.astimezone(berlin).strftime("%d %H:%M") for at in found] == [
        "24 00:00",
        "25 00:00",
        "26 00:00",
    ]
