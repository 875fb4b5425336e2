"""The facts of the report page: figures, a trend, incidents with their history, the newest bounces."""

from dataclasses import dataclass
from datetime import datetime

from bounce_watch.model.bounce import Bounce
from bounce_watch.model.digest import Count
from bounce_watch.model.incident import Incident
from bounce_watch.model.vocabulary import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    """Messages that failed for one cause in the hour that begins at `at` (UTC).

    A message counts once for a cause, in the hour of its first failure.
    """

    at: datetime
    cause: Cause
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentStep:
    """One line of an incident's history. `by` is an admin or bounce_watch."""

    at: datetime
    change: str
    by: str
    note: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentStory:
    """An incident with its history, oldest step first."""

    incident: Incident
    steps: tuple[IncidentStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedBounce:
    """One bounce of a list, with the number that `show` takes."""

    number: int
    bounce: Bounce
    subject: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Facts of `since` <= time < `until` (UTC), shown in `time_zone`.

    `left_out` is the number of older bounces of the span that are not in `bounces`; `more_stories` says that
    the span has more incidents than `stories`.
    """

    organisation: str
    time_zone: str
    since: datetime
    until: datetime
    messages: int
    ticks: tuple[HourCount, ...] = ()
    owners: tuple[Count, ...] = ()
    causes: tuple[Count, ...] = ()
    codes: tuple[Count, ...] = ()
    senders: tuple[Count, ...] = ()
    domains: tuple[Count, ...] = ()
    stories: tuple[IncidentStory, ...] = ()
    more_stories: bool = False
    bounces: tuple[ListedBounce, ...] = ()
    left_out: int = 0
    withheld: tuple[Count, ...] = ()
    replies_sent: int = 0
