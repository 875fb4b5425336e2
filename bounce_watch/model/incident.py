"""An incident: a finding that is opened, resolved and reopened, and about which admins are alerted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bounce_watch.model.finding import Finding


class IncidentState(StrEnum):
    """`quiet`: no new bounces, not known to be fixed. `resolved`: a person or a later proof says it is fixed.

    `archived`: stayed quiet and was put away without confirmation; only for medium and low severity.
    """

    OPEN = "open"
    QUIET = "quiet"
    RESOLVED = "resolved"
    ARCHIVED = "archived"

    @property
    def is_closed(self) -> bool:
        return self in CLOSED


FARTHEST_CLOCK = timedelta(days=1)
"""What was noted later than this from now was noted by a wrong clock."""

CLOSED = (IncidentState.RESOLVED, IncidentState.ARCHIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """`number` is shown as `INC-7`. `finding` holds the newest evidence. Times are UTC.

    `acknowledged_by` works on it. No alert about it is sent until `silenced_until`, or if it is `historical`,
    which means found in old messages. `suppressed_by` is the number of the incident that explains it.
    `resolved_at` is when it was resolved or archived; `quiet_since` when its silence was noted.
    """

    number: int
    state: IncidentState
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    finding: Finding
    quiet_since: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    silenced_until: datetime | None = None
    silenced_at: datetime | None = None
    suppressed_by: int | None = None
    reopened: int = 0
    historical: bool = False

    @property
    def name(self) -> str:
        return f"INC-{self.number}"

    def is_silenced(self, now: datetime) -> bool:
        """Tell whether a silence holds; one that was begun by a clock far ahead does not."""
        if self.silenced_at is not None and self.silenced_at - now > FARTHEST_CLOCK:
            return False
        return self.silenced_until is not None and now < self.silenced_until

    def standing(self, now: datetime) -> str:
        """Return its status in one word; a reason for sending no alert comes first."""
        if self.state.is_closed:
            return str(self.state)
        if self.is_silenced(now):
            return "silenced"
        if self.suppressed_by is not None:
            return "suppressed"
        if self.state is IncidentState.QUIET:
            return "quiet"
        if self.acknowledged_at is not None:
            return "acknowledged"
        return "historical" if self.historical else "open"
