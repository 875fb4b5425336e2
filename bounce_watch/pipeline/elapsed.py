"""Spans of time by the machine's clock, which may be wrong for a while."""

from datetime import datetime, timedelta


def has_passed(span: timedelta, since: datetime, now: datetime) -> bool:
    """Tell whether a time span is over; a beginning in the future was noted by a wrong clock."""
    return not timedelta(0) <= now - since < span
