"""An incident: a finding with a life (open, resolved) that admins hear about once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bounce_watch.model.finding import Finding


class IncidentState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """`number` is what people say (`INC-7`). `finding` holds the newest evidence. Times are UTC.

    `acknowledged_by` has seen it and is on it. Until `silenced_until` nobody is written to about it.
    `suppressed_by` is the number of the incident that explains it. `reopened` counts how often it came back.
    `historical`: it was found in old mail, and nobody is to be told.
    """

    number: int
    state: IncidentState
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    finding: Finding
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    silenced_until: datetime | None = None
    suppressed_by: int | None = None
    reopened: int = 0
    historical: bool = False

    @property
    def name(self) -> str:
        return f"INC-{self.number}"

    def is_silenced(self, now: datetime) -> bool:
        return self.silenced_until is not None and now < self.silenced_until

    def standing(self, now: datetime) -> str:
        """Return in one word how it stands; of several the one that tells why nobody is written to."""
        if self.state is IncidentState.RESOLVED:
            return "resolved"
        if self.is_silenced(now):
            return "silenced"
        if self.suppressed_by is not None:
            return "suppressed"
        if self.acknowledged_at is not None:
            return "acknowledged"
        return "historical" if self.historical else "open"
