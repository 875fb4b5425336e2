"""Whether a letter helped: what its reader did within 14 days, and how sure a share of such letters is."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

WITHIN = timedelta(days=14)
LEAST_LETTERS = 20
"""Letters from which a share says something."""
_Z = 1.959964
"""The quantile of the normal distribution that leaves out 5 % on both sides together."""


class LetterOutcome(StrEnum):
    """`again`: the same person wrote to the same recipient and it bounced for the same cause.

    `asked`: they replied to the letter. `quiet`: neither within 14 days, which proves no success.
    `open`: neither yet.
    """

    AGAIN = "again"
    ASKED = "asked"
    QUIET = "quiet"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailInVain:
    """A message that bounced. `sent_at` is its own Date, or when it bounced if that is not known (UTC)."""

    message_id: str | None
    sent_at: datetime


def outcome_of(
    sent_at: datetime, *, again: Iterable[datetime], asked: Iterable[datetime], now: datetime
) -> LetterOutcome:
    """Return the outcome of a letter that was sent at a time.

    `again` are the times at which messages were sent that bounced for the same person, recipient and cause:
    one that was on its way before the letter says nothing about it. `asked` are the times of replies to
    the letter. `again` outweighs `asked`.
    """
    if any(sent_at < time <= sent_at + WITHIN for time in again):
        return LetterOutcome.AGAIN
    if any(time <= sent_at + WITHIN for time in asked):
        return LetterOutcome.ASKED
    return LetterOutcome.QUIET if now - sent_at > WITHIN else LetterOutcome.OPEN


def count_again(letters: Iterable[datetime], mails: Iterable[MailInVain]) -> int:
    """Count the different messages that were sent after the first of some letters, and bounced.

    Another report on an earlier message is none of them.
    """
    if (first := min(letters, default=None)) is None:
        return 0
    mails = list(mails)
    earlier = {mail.message_id for mail in mails if mail.sent_at <= first and mail.message_id}
    later = {mail.message_id or mail.sent_at for mail in mails if mail.sent_at > first}
    return len(later - earlier)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCount:
    """How many letters of one cause or language had which outcome."""

    label: str
    again: int = 0
    asked: int = 0
    quiet: int = 0
    open: int = 0

    @property
    def decided(self) -> int:
        return self.again + self.asked + self.quiet

    @property
    def not_helped(self) -> int:
        return self.again + self.asked

    @property
    def interval(self) -> tuple[float, float] | None:
        """The share that did not help, as a 95 % interval; None for fewer than 20 letters."""
        return wilson(self.not_helped, self.decided) if self.decided >= LEAST_LETTERS else None


def count_outcomes(outcomes: Collection[tuple[str, LetterOutcome]]) -> tuple[OutcomeCount, ...]:
    """Count outcomes by label, those first of which most letters did not help."""
    labels = dict.fromkeys(label for label, _ in outcomes)
    counts = Counter((label, str(outcome)) for label, outcome in outcomes)
    found = [
        OutcomeCount(label=label, **{one: counts[label, one] for one in LetterOutcome}) for label in labels
    ]
    return tuple(sorted(found, key=lambda one: (-one.not_helped, -one.decided, one.label)))


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (E. B. Wilson, 1927); it stays within 0 and 1."""
    share, z2 = hits / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z / (1 + z2 / total) * sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)
