"""Times for people: local, with the names of their language."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from bounce_watch.notifications.rendering.templates import Templates, Value

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def local(moment: datetime, time_zone: str) -> datetime:
    """Return a time in a time zone (IANA name)."""
    return moment.astimezone(ZoneInfo(time_zone))


def written(templates: Templates, words: str, there: datetime) -> str:
    """Return a local time with weekday and date, in the language of the file `words`."""
    weekdays = templates.block(words, "weekdays", {}).split()
    months = templates.block(words, "months", {}).split()
    parts: dict[str, Value] = {
        "weekday": weekdays[there.weekday()],
        "day": there.day,
        "month": months[there.month - 1],
        "year": there.year,
        "clock": f"{there:%H:%M}",
    }
    return templates.block(words, "moment", parts)


def short(moment: datetime, time_zone: str) -> str:
    """Return a time for admins, such as `Tue 24 Nov 2026, 09:14`."""
    there = local(moment, time_zone)
    return f"{day_name(there)}, {there:%H:%M}"


def exact(moment: datetime | None) -> str:
    """Return a time for remote admins, such as `2026-11-24 06:00:00 UTC`, "" for None."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def day_name(day: date) -> str:
    """Return a date for admins, such as `Tue 24 Nov 2026`."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"
