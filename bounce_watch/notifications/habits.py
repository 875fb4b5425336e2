"""One thing to improve per week, from data/habits.toml, chosen by what bounced."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

from bounce_watch import shipped_files
from bounce_watch.model import Cause, Count, Digest, Edition

_MONDAY = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """Advice for admins that fits `causes`, or every week without causes. `where` is empty for no place."""

    name: str
    text: str
    source: str
    where: str = ""
    causes: frozenset[Cause] = frozenset()

    def weight(self, counts: Sequence[Count]) -> int:
        """Return how many messages bounced for a cause that the habit is about."""
        return sum(count.now for count in counts if count.label in self.causes)


def shipped_habits() -> tuple[Habit, ...]:
    tables = tomllib.loads(shipped_files.data_file("habits.toml").read_text(encoding="utf-8"))
    return tuple(
        Habit(
            name=row["name"],
            text=row["text"],
            source=row["source"],
            where=row.get("where", ""),
            causes=frozenset(map(Cause, row.get("causes", ()))),
        )
        for row in tables["habit"]
    )


def habit_of_the_week(habits: Sequence[Habit], digest: Digest) -> Habit | None:
    """Return the habit for a weekly digest, or a daily one of a Monday; None on other days.

    The weeks take turns with the three habits that fit most of what bounced, and those that fit every week.
    """
    is_weekly = digest.edition is Edition.WEEKLY
    is_monday = digest.edition is Edition.DAILY and digest.local_date.weekday() == _MONDAY
    if not habits or not (is_weekly or is_monday):
        return None
    specific = sorted(
        (habit for habit in habits if habit.causes), key=lambda habit: -habit.weight(digest.causes)
    )
    fitting = [*specific[:3], *(habit for habit in habits if not habit.causes)]
    week = digest.local_date.isocalendar().week
    return fitting[week % len(fitting)]
