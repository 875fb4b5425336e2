"""What Exchange Online has to say about one mail."""

from dataclasses import dataclass
from datetime import datetime

from demo_mailbox.identity import guid, report_id, server
from demo_mailbox.original import Original
from demo_mailbox.verdicts import Verdict
from demo_mailbox.wording import WORDINGS, Wording

Outcome = tuple[str, Verdict]
"""A recipient's address and what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report about one mail. `outcomes` has an entry for each recipient that it names."""

    original: Original
    outcomes: tuple[Outcome, ...]
    reported: datetime

    @property
    def about(self) -> tuple[object, ...]:
        return (self.original.message_id, self.reported.isoformat())

    @property
    def wording(self) -> Wording:
        return WORDINGS[self.original.sender.language]

    @property
    def server(self) -> str:
        return server("reporter", *self.about)

    @property
    def message_id(self) -> str:
        return report_id(*self.about)

    @property
    def subject(self) -> str:
        words = self.wording
        prefixes = {"delayed": words.delayed, "delivered": words.delivered, "relayed": words.relayed}
        return f"{prefixes.get(self.outcomes[0][1].action, words.undeliverable)} {self.original.subject}"

    def boundary(self, level: str) -> str:
        return str(guid("boundary", level, *self.about))

    def replies(self) -> list[str]:
        return [verdict.fill(verdict.reply, address, self.reported) for address, verdict in self.outcomes]
