"""One message of the sample mailbox, with what a reader should make of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from demo_mailbox.company import Person, at
from demo_mailbox.original import Original
from demo_mailbox.report import Report
from demo_mailbox.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """`kinds` names what each report inside is. `repeats` marks a second copy of a report."""

    arrived: datetime
    what: str
    content: str | bytes
    kinds: tuple[str, ...] = ("failure",)
    repeats: bool = False

    @property
    def raw(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.encode("ascii")


def report(moment: str, sender: Person, recipient: str, subject: str, verdict: Verdict) -> Report:
    """Return what Exchange reported at a moment of the week about a mail to one recipient."""
    return report_on(moment, sender, ((recipient, verdict),), subject)


def report_on(moment: str, sender: Person, outcomes: tuple[tuple[str, Verdict], ...], subject: str) -> Report:
    """Return what Exchange reported about a mail to several recipients."""
    original = Original(
        sender=sender,
        recipients=tuple(address for address, _ in outcomes),
        subject=subject,
        sent=at(moment) - outcomes[0][1].after,
    )
    return Report(original=original, outcomes=outcomes, reported=at(moment))


def soon(moment: str, seconds: int = 2) -> datetime:
    """Return when a mail of that moment lies in the mailbox."""
    return at(moment) + timedelta(seconds=seconds)
