"""One clock: times are read and shown in the site's zone, with `--utc` in UTC; and the dates of the demo."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from bounce_watch.cli.common.charts import Step, starts
from bounce_watch.cli.common.when import read_later, read_moment, show_times_of, site_time
from bounce_watch.cli.demo_dates import moved
from tests.cli.conftest import call

DATA = Path(__file__).parent.parent.parent / "data" / "demo"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def in_berlin() -> None:
    show_times_of(DATA / "config.toml", utc=False)


@pytest.mark.parametrize(
    ("option", "shown"), [pytest.param([], "CET", id="site"), pytest.param(["--utc"], "UTC", id="utc")]
)
def test_every_time_names_its_zone(demo: Path, option: list[str], shown: str) -> None:
    for command in (["history", "--limit", "2"], ["incidents"], ["show", "20"], ["stats"], ["quarantine"]):
        out = call(*option, "-c", str(demo / "config.toml"), *command, environ={"TZ": "Asia/Tokyo"}).stdout
        times = re.findall(r"\d\d:\d\d(?! ?\d)(?: \w+)?", re.sub(r"T\d\d:\d\d:\S+", "", out))
        assert times
        assert {time[6:] for time in times} == {shown}


@pytest.mark.usefixtures("in_berlin")
def test_a_time_without_a_zone_is_the_sites() -> None:
    assert read_moment("2026-07-01 14:00") == NOON
    assert read_moment("2026-07-01T12:00+00:00") == NOON
    assert read_moment("today", NOON) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert f"{site_time(NOON):%H:%M %Z}" == "14:00 CEST"


@pytest.mark.parametrize("text", ["0002-01-01", "99999w", "1969-07-20", "9999-12-31"])
def test_arithmetic_with_a_time_of_any_age_does_not_overflow(text: str) -> None:
    moment = read_moment(text, NOON)
    assert moment is not None
    assert 1970 <= moment.year <= 2200


def test_a_trend_begins_at_any_time(demo: Path) -> None:
    call("-c", str(demo / "config.toml"), "trend", "--since", "0002-01-01", "--by", "week")


@pytest.mark.usefixtures("in_berlin")
def test_only_a_span_is_turned_into_the_future() -> None:
    assert read_later("1000h", NOON) == NOON + timedelta(hours=1000)
    assert read_later("2026-07-02", NOON) == datetime(2026, 7, 1, 22, tzinfo=UTC)
    for text in ("yesterday", "today", "2026-07-01"):
        with pytest.raises(typer.BadParameter, match="is past"):
            read_later(text, NOON)


@pytest.mark.usefixtures("in_berlin")
def test_the_hour_that_comes_twice_is_two_hours() -> None:
    since = datetime(2026, 10, 25, 0, tzinfo=UTC)
    found = starts(since, since + timedelta(hours=3), Step.HOUR)
    assert len(set(found)) == 3
    assert [f"{at:%H %Z}" for at in found] == ["02 CEST", "02 CET", "03 CET"]


@pytest.mark.parametrize(
    ("text", "later"),
    [
        (b"Date: Fri, 13 Nov 2026 13:12:02 +0000", b"Date: Fri, 01 Jan 2027 13:12:02 +0000"),
        (b"Sent: Monday, 09 November 2026 09:24", b"Sent: Monday, 28 December 2026 09:24"),
        (b"<td>11/9/2026 7:46:31 AM", b"<td>12/28/2026 7:46:31 AM"),
        (b"outlook.com 2026-11-10T00:00:00.000Z", b"outlook.com 2026-12-29T00:00:00.000Z"),
        (b"id 15.21; Tue, 1=\r\n0 Nov 2026 21:41", b"id 15.21; Tue, 29 Dec 2026=\r\n 21:41"),
        (b"11/10/2026=\r\n 9:41:02 PM", b"12/29/2026=\r\n 9:41:02 PM"),
        (b"back on 16 November", b"back on 16 November"),
        (b"<20261113.D9661B@mx1>", b"<20261113.D9661B@mx1>"),
    ],
)
def test_each_form_of_a_date_moves(text: bytes, later: bytes) -> None:
    assert moved(text, timedelta(weeks=7)) == later


def test_no_date_of_the_sample_week_stays_behind() -> None:
    for file in DATA.glob("*.eml"):
        text = re.sub(rb"=\r?\n", b"", moved(file.read_bytes(), timedelta(days=100)))
        assert not re.search(rb"Nov(ember)? 2026|11/\d+/2026|2026-11-", text), file.name
