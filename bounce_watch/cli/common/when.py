"""The one clock of the terminal, times that people write, and the account that runs a command.

Times are read and shown in the site's time zone; with `--utc` in UTC, without a configuration in this
machine's zone.
"""

import getpass
import os
import re
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cached_property
from pathlib import Path

import typer

from bounce_watch.config.load import ConfigError, load_config

_SPAN = re.compile(r"(\d{1,5})\s*(min|h|d|w)")
_UNITS = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Times beyond are cut to these: no report is older, and sums and zones of times near year 1 overflow."""


class _Clock:
    """The zone in which times are shown; the configuration is read once a time is."""

    def __init__(self, config: Path | None, *, utc: bool) -> None:
        self.utc = utc
        self._config = config

    @cached_property
    def zone(self) -> tzinfo | None:
        """None is this machine's zone."""
        if self.utc:
            return UTC
        try:
            return load_config(self._config).zone
        except ConfigError:
            return None


_clock: ContextVar[_Clock | None] = ContextVar("clock", default=None)


def show_times_of(config: Path | None, *, utc: bool | None = None) -> None:
    """Show times from now on in the zone of a site's configuration; `utc`: None leaves what was chosen."""
    before = _clock.get()
    _clock.set(_Clock(config, utc=bool(before and before.utc) if utc is None else utc))


def shown_zone() -> tzinfo | None:
    """Return the zone in which the terminal shows times; None is this machine's."""
    clock = _clock.get()
    return clock.zone if clock else None


def site_time(moment: datetime) -> datetime:
    """Return a moment with the offset that the shown zone has then; without a zone it is wall-clock time.

    The offset is fixed: in the hour that comes twice, times of one ZoneInfo would equal each other.
    """
    zone = shown_zone()
    there = (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(zone)
    return there.replace(tzinfo=timezone(there.utcoffset() or timedelta(), there.tzname() or ""))


def read_moment(text: str | None, now: datetime | None = None) -> datetime | None:
    """Return a time in UTC, None for None; one without a zone is the site's. Raises BadParameter."""
    return None if text is None else min(max(_moment(text, now or datetime.now(UTC)), _FIRST), _LAST)


def read_later(text: str, now: datetime) -> datetime:
    """Return the future time that a span or a date means. Raises BadParameter."""
    if span := _SPAN.fullmatch(text.strip().lower()):
        later = now + int(span[1]) * _UNITS[span[2]]
    else:
        later = _moment(text, now)
    if later <= now:
        raise typer.BadParameter(f"{text!r} is past; write 8h, 7d or a date to come")
    return min(later, _LAST)


def _moment(text: str, now: datetime) -> datetime:
    if span := _SPAN.fullmatch(text.strip().lower()):
        return now - int(span[1]) * _UNITS[span[2]]
    if text in ("today", "yesterday"):
        day = site_time(now).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        return site_time(day - timedelta(days=text == "yesterday")).astimezone(UTC)
    try:
        return site_time(datetime.fromisoformat(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} isn't a valid time; use 7d, 12h, yesterday or 2026-11-24"
        ) from None


def account() -> str:
    """Return the account's name for audits, behind sudo the caller's; its number if it has no name."""
    try:
        return (os.environ.get("SUDO_USER") or getpass.getuser())[:80]
    except (KeyError, OSError):
        return str(os.getuid())
