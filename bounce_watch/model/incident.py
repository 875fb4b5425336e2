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
    """`number` is what people say (`INC-7`). `finding` holds the newest evidence. Times are UTC."""

    number: int
    state: IncidentState
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    finding: Finding

    @property
    def name(self) -> str:
        return f"INC-{self.number}"
