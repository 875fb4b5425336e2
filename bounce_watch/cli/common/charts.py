"""Bars and lines of block characters for tables in a terminal, and counts by local hour, day or week."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bounce_watch.cli.common.when import site_time
from bounce_watch.model import HourCount

_EIGHTHS = "▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
MAX_PERIODS = 60


def bar(value: int, most: int, width: int = 24) -> str:
    """Return a bar of at most `width` characters, exact to an eighth; empty only for zero."""
    if value <= 0 or most <= 0:
        return ""
    eighths = max(1, round(value * width * 8 / most))
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")


def line(values: Sequence[int]) -> str:
    """Return one character per value: a space for zero, else a block as high as the value in comparison."""
    most = max(values, default=0)
    return "".join(_LEVELS[-(-value * 8 // most) - 1] if value > 0 else " " for value in values)


def change(now: int, before: int) -> str:
    if now == before:
        return "as before"
    if before == 0:
        return "new"
    percent = round(100 * abs(now - before) / before)
    return f"{percent} % {'more' if now > before else 'less'}" if percent else "as before"


class Step(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


def fitting(span: timedelta) -> Step:
    """Return the step that divides a span into at most MAX_PERIODS periods; weeks for all longer ones."""
    if span <= timedelta(hours=MAX_PERIODS):
        return Step.HOUR
    return Step.DAY if span <= timedelta(days=MAX_PERIODS) else Step.WEEK


def start_of(moment: datetime, step: Step) -> datetime:
    """Return the beginning of the local hour, day or week (Monday) in which a moment lies."""
    local = site_time(moment).replace(minute=0, second=0, microsecond=0)
    if step is Step.HOUR:
        return local
    back = local.weekday() if step is Step.WEEK else 0
    # Without its zone, so that a day of 23 or 25 hours is one day; then with the offset of that midnight.
    return site_time(local.replace(hour=0, tzinfo=None) - timedelta(days=back))


def starts(since: datetime, until: datetime, step: Step) -> list[datetime]:
    """Return the beginnings of all periods that touch since <= time < until."""
    found, at = [], start_of(since, step)
    while at < until:
        found.append(at)
        at = _next(at, step)
    return found


def _next(at: datetime, step: Step) -> datetime:
    if step is Step.HOUR:
        return site_time(at + timedelta(hours=1))
    days = 1 if step is Step.DAY else 7
    return site_time(at.replace(tzinfo=None) + timedelta(days=days))


@dataclass(frozen=True, slots=True)
class Course:
    """Number of mails by the beginning of the period: all, and by cause."""

    all: Counter[datetime]
    causes: dict[str, Counter[datetime]]

    @property
    def total(self) -> int:
        return self.all.total()

    def total_of(self, cause: str) -> int:
        return self.causes[cause].total() if cause in self.causes else 0


def course_of(counts: Iterable[HourCount], step: Step) -> Course:
    """Add counts of hours up to periods."""
    course = Course(all=Counter(), causes={})
    for count in counts:
        at = start_of(count.at, step)
        course.all[at] += count.messages
        course.causes.setdefault(str(count.cause), Counter())[at] += count.messages
    return course
