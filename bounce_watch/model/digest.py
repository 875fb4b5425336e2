"""What one digest tells: counted by the store, rendered by reply."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from bounce_watch.model.incident import Incident


class Edition(StrEnum):
    """How long a time a digest tells of."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


def closes(edition: Edition, weekday: int, previous: date, day: date) -> bool:
    """Tell whether the digest of `day`, which follows that of `previous`, ends an edition.

    `weekday` is that of the weekly one, Monday 0. A day that was missed is made up for by the next digest.
    """
    match edition:
        case Edition.DAILY:
            return True
        case Edition.WEEKLY:
            return day - timedelta(days=(day.weekday() - weekday) % 7) > previous
        case Edition.MONTHLY:
            return day.replace(day=1) > previous


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One line of a table. `before` is what is usual: see `Digest.weeks`; None when we did not watch then."""

    label: str
    now: int
    before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One check of the service itself: `state` is ok, warning or failure."""

    name: str
    state: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Facts of the span `since` <= t < `until` (UTC). `local_date` is the day in `time_zone` it was made on.

    `withheld` counts mails that the gate refused, by reason. `left_alone` counts mails that are no
    reports and stay where they are; `quarantined` those nobody could read. `unverified` counts bounces
    that the site does not believe (forged, or not proven): they are in no other figure.

    `before` of a count is the mean of the same span in the `weeks` weeks before that we watched (at most
    four; 0: nothing to compare with), in a monthly edition that of the one span before. `missed` are the
    local dates before this one for which no digest was made; their rows are in this one.
    """

    local_date: date
    time_zone: str
    since: datetime
    until: datetime
    messages: Count
    bounces: Count
    delays: Count
    opened: tuple[Incident, ...] = ()
    still_open: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    owners: tuple[Count, ...] = ()
    causes: tuple[Count, ...] = ()
    senders: tuple[Count, ...] = ()
    domains: tuple[Count, ...] = ()
    replies_sent: int = 0
    replies_held: int = 0
    withheld: tuple[Count, ...] = ()
    duplicates: int = 0
    left_alone: int = 0
    quarantined: int = 0
    unverified: int = 0
    health: tuple[Health, ...] = ()
    edition: Edition = Edition.DAILY
    weeks: int = 0
    missed: int = 0

    @property
    def is_empty(self) -> bool:
        """Nothing bounced and nothing needs anyone."""
        return not (self.bounces.now or self.opened or self.still_open or self.resolved or self.quarantined)
