"""Times for admins, and the local time of any moment."""

from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def local(moment: datetime, time_zone: str) -> datetime:
    """Return a time in a time zone (IANA name)."""
    return moment.astimezone(ZoneInfo(time_zone))


def short(moment: datetime, time_zone: str) -> str:
    """Return a time for admins, such as `Tue 24 Nov 2026, 09:14`."""
    there = local(moment, time_zone)
    return f"{day_name(there)}, {there:%H:%M}"


def stamp(moment: datetime, zone: tzinfo | None) -> str:
    """Return a time that names its zone, such as `2026-11-24 09:14 CET`; None is this machine's zone."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def exact(moment: datetime | None) -> str:
    """Return a time for remote admins, such as `2026-11-24 06:00:00 UTC`, "" for None."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def day_name(day: date) -> str:
    """Return a date for admins, such as `Tue 24 Nov 2026`."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"
