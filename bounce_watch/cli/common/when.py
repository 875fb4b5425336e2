"""Read times such as `7d`, `yesterday`, `2026-11-24 13:30`, and name the account that runs a command."""

import getpass
import os
import re
from datetime import UTC, datetime, timedelta

import typer

_SPAN = re.compile(r"(\d{1,5})\s*(min|h|d|w)")
_UNITS = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def read_moment(text: str | None, now: datetime | None = None) -> datetime | None:
    """Return a time in UTC, None for None; a time without a zone is local. Raises BadParameter."""
    if text is None:
        return None
    now = now or datetime.now(UTC)
    if span := _SPAN.fullmatch(text.strip().lower()):
        return now - int(span[1]) * _UNITS[span[2]]
    if text in ("today", "yesterday"):
        midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - timedelta(days=text == "yesterday")).astimezone(UTC)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
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
