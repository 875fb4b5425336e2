"""When something is due next, so that no mail, digest or alert is late because we wait for new mail."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bounce_watch.pipeline.house import House


def next_due(house: House, now: datetime) -> datetime | None:
    """Return the next moment after `now` at which work that is known is due, None when there is none."""
    return min((moment for moment in _moments(house, now) if moment > now), default=None)


def _moments(house: House, now: datetime) -> Iterator[datetime]:
    outgoing = house.store.next_outgoing_at(now)
    if outgoing is not None:
        yield outgoing
    yield _next_digest(house, now)
    settle = timedelta(seconds=house.config.alerts.settle_seconds)
    yield from (told.incident.opened_at + settle for told in house.store.told() if not told.step)


def _next_digest(house: House, now: datetime) -> datetime:
    """Return when the digest's local time comes next; an hour off on the two days that change the clock."""
    local = now.astimezone(house.config.zone)
    today = datetime.combine(local.date(), house.config.digest.at, house.config.zone)
    return today if today > local else today + timedelta(days=1)
