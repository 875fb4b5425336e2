"""Bars and lines of block characters, for tables in a terminal.

A span of time cut into local hours, days or weeks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

_EIGHTHS = "▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"


def bar(value: int, most: int, width: int = 24) -> str:
    """Return a bar of at most `width` characters, exact to an eighth; something is never drawn as nothing."""
    if value <= 0 or most <= 0:
        return ""
    eighths = max(1, round(value * width * 8 / most))
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")


def line(values: Sequence[int]) -> str:
    """Return one character a value: a space for none, else its height among the others."""
    most = max(values, default=0)
    return "".join(_LEVELS[-(-value * 8 // most) - 1] if value > 0 else " " for value in values)


def change(now: int, before: int) -> str:
    """Say how a figure differs from the one of the time before."""
    if now == before:
        return "as before"
    if before == 0:
        return "new"
    percent = round(100 * abs(now - before) / before)
    return f"{percent} % {'more' if now > before else 'less'}" if percent else "as before"


if TYPE_CHECKING:
    from bounce_watch.model import HourCount

MOST_LINES = 60


class Step(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


def fitting(span: timedelta) -> Step:
    """Return the step that draws a span in a screen or so."""
    if span <= timedelta(hours=MOST_LINES):
        return Step.HOUR
    return Step.DAY if span <= timedelta(days=MOST_LINES) else Step.WEEK


def start_of(moment: datetime, step: Step) -> datetime:
    """Return the beginning of the local hour, day or week (Monday) in which a moment lies."""
    local = moment.astimezone().replace(minute=0, second=0, microsecond=0)
    if step is Step.HOUR:
        return local
    back = local.weekday() if step is Step.WEEK else 0
    # Without its zone, so that a day of 23 or 25 hours is one day; then with the offset of that midnight.
    return (local.replace(hour=0, tzinfo=None) - timedelta(days=back)).astimezone()


def starts(since: datetime, until: datetime, step: Step) -> list[datetime]:
    """Return the beginnings of all periods that touch since <= time < until."""
    found, at = [], start_of(since, step)
    while at < until:
        found.append(at)
        at = _next(at, step)
    return found


def _next(at: datetime, step: Step) -> datetime:
    if step is Step.HOUR:
        return (at + timedelta(hours=1)).astimezone()
    days = 1 if step is Step.DAY else 7
    return (at.replace(tzinfo=None) + timedelta(days=days)).astimezone()


@dataclass(frozen=True, slots=True)
class Course:
    """Mails by the beginning of the period, all in all and by cause."""

    all: Counter[datetime]
    causes: dict[str, Counter[datetime]]

    @property
    def total(self) -> int:
        return self.all.total()


def course_of(ticks: Iterable["HourCount"], step: Step) -> Course:
    """Add hours up to periods."""
    course = Course(all=Counter(), causes={})
    for tick in ticks:
        at = start_of(tick.at, step)
        course.all[at] += tick.messages
        course.causes.setdefault(str(tick.cause), Counter())[at] += tick.messages
    return course
