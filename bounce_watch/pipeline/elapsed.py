"""Spans of time by the machine's clock, which may be wrong for a while."""

from datetime import datetime, timedelta

CLOCKS_DIFFER = timedelta(minutes=5)
"""The clocks of several watchers differ by less than this."""


def has_passed(span: timedelta, since: datetime, now: datetime) -> bool:
    """Tell whether a time span is over; a beginning in the future was noted by a wrong clock."""
    return not -CLOCKS_DIFFER <= now - since < span


def is_ahead(moment: datetime | None, now: datetime) -> bool:
    """Tell whether a time that should be past was noted by a clock that was ahead."""
    return moment is not None and moment - now > CLOCKS_DIFFER
