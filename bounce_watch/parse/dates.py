"""Dates as mail systems write them (RFC 5322 section 3.3) to aware UTC datetimes."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_CTIME = re.compile(r"\w{3} +(\w{3}) +(\d{1,2}) +(\d\d:\d\d:\d\d) +(\d{4})(?: +GMT| +UTC)?")
EARLIEST = 1971
LATEST = 2200


def read_date(text: str | None) -> datetime | None:
    """Return a date in UTC; None for garbage and for years no mail was written in. No zone means UTC."""
    if not text:
        return None
    value = text.strip()[:100]
    if match := _CTIME.fullmatch(value):
        value = f"{match[2]} {match[1]} {match[4]} {match[3]} +0000"
    try:
        found = parsedate_to_datetime(value)
        aware = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError, ArithmeticError):
        return None
    return aware if EARLIEST <= aware.year <= LATEST else None
