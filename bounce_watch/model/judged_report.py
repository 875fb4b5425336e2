"""A stored report with the bounces that were judged from it."""

from dataclasses import dataclass
from datetime import datetime

from bounce_watch.model.bounce import Bounce
from bounce_watch.model.report import Report
from bounce_watch.model.vocabulary import Action, Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedReport:
    """A report with its id in the store. `received_at` is its arrival in the mailbox."""

    report_id: int
    report: Report
    bounces: tuple[Bounce, ...]
    evidence: Evidence | None
    received_at: datetime | None

    @property
    def failed(self) -> tuple[Bounce, ...]:
        return tuple(bounce for bounce in self.bounces if bounce.action is Action.FAILED)
