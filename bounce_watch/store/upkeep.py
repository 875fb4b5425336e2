"""Upkeep: what is asked about the store's own state, and what is written to keep it right."""

from datetime import datetime

from sqlmodel import Session

from bounce_watch.store import tables
from bounce_watch.store.rooms import Reads, Writes
from bounce_watch.store.upkeep_counters import (
    SERIES,
    Wrong,
    mend,
    mend_scattered,
    wrong_counters,
    wrong_scattered,
)

_OUTLIVED = "counters_outlived"


class UpkeepQuestions(Reads):
    """Questions about the store's own state."""

    def disagreeing_counters(self) -> tuple[int, str]:
        """Return how many counters disagree with the rows, and a few words about the first."""
        with self._reading() as session:
            missing, surplus = wrong_scattered(session)
            if missing or surplus:  # counters are compared without these messages
                return len(missing) + len(surplus), f"message {min(missing | surplus)} of several days"
            wrong = _all_wrong(session, self.counters_outlived())
        return len(wrong), _words(wrong[0]) if wrong else ""

    def counters_outlived(self) -> datetime | None:
        """Return up to when counters tell of bounces that were deleted, None when of none."""
        with self._reading() as session:
            row = session.get(tables.Meta, _OUTLIVED)
            return None if row is None else datetime.fromisoformat(row.value)


class Upkeep(UpkeepQuestions, Writes):
    """Writing what keeps the store right."""

    def recount(self) -> int:
        """Set every counter that disagrees to what the rows say; return how many there were."""
        missing, surplus = wrong_scattered(self._rows)
        if missing or surplus:
            mend_scattered(self._rows, missing, surplus)
        wrong = _all_wrong(self._rows, self.counters_outlived())
        for one in wrong:
            mend(self._rows, one)
        return len(missing) + len(surplus) + len(wrong)


def _all_wrong(session: Session, outlived: datetime | None) -> list[Wrong]:
    return [one for series in SERIES for one in wrong_counters(session, *series, outlived)]


def _words(wrong: Wrong) -> str:
    cell = wrong.cell
    return f"{cell.dimension} {cell.label!r} should say {wrong.messages} mails in {cell.grain} {cell.period}"
