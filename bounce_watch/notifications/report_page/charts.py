"""The geometry of the report page's charts; the page draws it as SVG."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bounce_watch.model import HourCount, Overview
from bounce_watch.notifications.rendering.labels import label_of
from bounce_watch.notifications.rendering.local_time import WEEKDAYS
from bounce_watch.notifications.rendering.templates import Value

HEIGHT, LEFT, RIGHT, BOTTOM = 220, 44, 16, 24
"""Height of a chart in SVG units, and its margins for labels."""
COLORS = 6
"""Number of colors, one per cause; if there are more causes, the last color is for all others."""
OTHERS = "Other causes"
_ABOVE = 12


@dataclass(frozen=True, slots=True)
class Size:
    """The width of a chart in SVG units, and its maximum of columns and of their labels."""

    width: int
    columns: int
    labels: int


WIDE, NARROW = Size(960, 70, 14), Size(328, 35, 5)
"""For screens and for phones, where one unit is about a pixel."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all columns share: the causes in the order of their colors, the width of one, the top value."""

    size: Size
    shown: Sequence[str]
    step: float
    ceiling: int

    def height(self, value: float) -> float:
        return (HEIGHT - _ABOVE) * value / self.ceiling


def timeline(overview: Overview, size: Size = WIDE) -> dict[str, Value]:
    """Return stacked columns of messages per day or week by cause, with axis and legend."""
    zone = ZoneInfo(overview.time_zone)
    starts, days = _starts(overview.since.astimezone(zone), overview.until.astimezone(zone), size.columns)
    cells = _cells(overview.ticks, zone, starts, days)
    totals = sum(cells, Counter[str]())
    ranked = [name for name, _ in totals.most_common()]
    shown = ranked if len(ranked) <= COLORS else ranked[: COLORS - 1]
    ceiling = _ceiling(max(cell.total() for cell in cells))
    frame = _Frame(size, shown, (size.width - LEFT - RIGHT) / len(starts), ceiling)
    lines = (ceiling * quarter // 4 for quarter in range(5))
    return {
        "columns": [
            _column(frame, place, start, cell)
            for place, (start, cell) in enumerate(zip(starts, cells, strict=True))
        ],
        "lines": [{"y": round(HEIGHT - frame.height(value), 1), "label": value} for value in lines],
        "legend": list(_legend(ranked, shown)),
        "width": size.width,
        "height": HEIGHT + BOTTOM,
        "left": LEFT,
        "right": size.width - RIGHT,
        "period": "day" if days == 1 else "week",
    }


def _starts(since: datetime, until: datetime, most: int) -> tuple[list[date], int]:
    """Return the first day of each column, and the number of days per column."""
    first, last = since.date(), (until - timedelta(microseconds=1)).date()
    days = 1 if (last - first).days < most else 7
    return [first + timedelta(days=number) for number in range(0, (last - first).days + 1, days)], days


def _cells(ticks: Sequence[HourCount], zone: ZoneInfo, starts: list[date], days: int) -> list[Counter[str]]:
    """Count by column and cause; the hour in which the span begins belongs to the first column."""
    cells = [Counter[str]() for _ in starts]
    for tick in ticks:
        place = (tick.at.astimezone(zone).date() - starts[0]).days // days
        cells[min(max(place, 0), len(cells) - 1)][tick.cause] += tick.messages
    return cells


def _column(frame: _Frame, place: int, start: date, cell: Counter[str]) -> Value:
    every = -(-int((frame.size.width - LEFT - RIGHT) / frame.step) // frame.size.labels)
    left = LEFT + place * frame.step
    return {
        "middle": round(left + frame.step / 2, 1),
        "label": f"{start.day} {start:%b}" if place % every == 0 else "",
        "day": f"{start:%Y-%m-%d}",
        "total": cell.total(),
        "parts": [
            {"x": round(left + frame.step * 0.12, 1), "width": round(frame.step * 0.76, 1), **part}
            for part in _parts(frame, start, cell)
        ],
    }


def _parts(frame: _Frame, start: date, cell: Counter[str]) -> Iterator[dict[str, Value]]:
    named = [(tone, label_of(name), cell[name]) for tone, name in enumerate(frame.shown)]
    others = cell.total() - sum(value for _, _, value in named)
    reached = 0
    for tone, name, value in [*named, (COLORS - 1, OTHERS, others)]:
        if not value:
            continue
        reached += value
        yield {
            "tone": tone,
            "y": round(HEIGHT - frame.height(reached), 1),
            "height": round(frame.height(value), 1),
            "title": f"{start:%Y-%m-%d}: {name}, {value}",
        }


def _legend(ranked: Sequence[str], shown: Sequence[str]) -> Iterator[Value]:
    for tone, name in enumerate(shown):
        yield {"tone": tone, "label": label_of(name)}
    if len(ranked) > len(shown):
        yield {"tone": COLORS - 1, "label": OTHERS}


def _ceiling(most: int) -> int:
    """Return a round number, not below the largest value, that four lines divide evenly."""
    size = 1
    while True:
        for step in (4, 8, 12, 20):
            if step * size >= most:
                return step * size
        size *= 10


def heat(ticks: Sequence[HourCount], time_zone: str, hours: int = 1) -> list[Value]:
    """Return a row per weekday with a cell per `hours` local hours: its messages and one of five tones."""
    zone, counts = ZoneInfo(time_zone), Counter[tuple[int, int]]()
    for tick in ticks:
        there = tick.at.astimezone(zone)
        counts[there.weekday(), there.hour // hours * hours] += tick.messages
    most = max(counts.values(), default=1)
    return [
        {
            "day": name,
            "cells": [
                {"hour": hour, "now": counts[day, hour], "tone": -(-counts[day, hour] * 5 // most)}
                for hour in range(0, 24, hours)
            ],
        }
        for day, name in enumerate(WEEKDAYS)
    ]


def lifeline(overview: Overview, first: datetime, last: datetime | None) -> dict[str, Value]:
    """Return an incident's position in the span as x and width, out of 1000; at least a dot."""
    whole = (overview.until - overview.since).total_seconds()
    start = min(max((first - overview.since).total_seconds() / whole, 0), 1)
    end = min(max(((last or overview.until) - overview.since).total_seconds() / whole, start), 1)
    return {"x": round(start * 988), "width": max(round((end - start) * 988), 12)}
