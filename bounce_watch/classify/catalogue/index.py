"""All rows of the catalogue, sorted once so that a status finds its few rows without a look at the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from bounce_watch.classify.catalogue.row import Namespace, Reach, Row, read_status
from bounce_watch.model import Side

MAX_PLANS = 4096
"""Statuses whose plan is kept; a flood of invented ones only makes us sort again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The rows that may explain one status from one speaker, in the order in which they are tried.

    `near` name the status itself or a range of it, `defaults` are those of them that need no text, the
    speaker's own meaning first. `subject` and `rest` tell the meaning of the status's group.
    """

    near: tuple[Row, ...]
    defaults: tuple[Row, ...]
    subject: tuple[Row, ...]
    rest: tuple[Row, ...]


class Catalogue:
    """All rows in the order of the file, which is the order of the tests."""

    __slots__ = ("_covering", "_phrases", "_replies", "plan", "rows", "text_rows")

    plan: Callable[[str | None, bool, Side | None], Plan]
    """Return the plan for a status, for whether Microsoft spoke, and for the side that refused."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self.text_rows = tuple(row for row in self.rows if row.code is None)
        self._phrases = {side: _fitting(self.text_rows, side) for side in (None, *Side)}
        self._covering = self._by_subject()
        self._replies: dict[str | None, tuple[Row, ...]] = {}
        for row in self.rows:
            if row.is_reply_row:
                self._replies[row.code] = (*self.of_reply_code(row.code), row)
        self.plan = lru_cache(MAX_PLANS)(self._plan)

    def _by_subject(self) -> dict[tuple[int | None, int | None], list[int]]:
        """Return the places of the rows with a span, by the class and the subject that they name."""
        places: dict[tuple[int | None, int | None], list[int]] = {}
        for place, row in enumerate(self.rows):
            if row.span:
                places.setdefault((row.span.status_class, row.span.subject), []).append(place)
        return places

    def __reduce__(self) -> tuple[type["Catalogue"], tuple[tuple[Row, ...]]]:
        return Catalogue, (self.rows,)

    def of_status(self, status: str | None) -> tuple[Row, ...]:
        """Return the rows that cover a status, closest first, else in the order of the file."""
        numbers = read_status(status)
        if numbers is None:
            return ()
        status_class, subject, _ = numbers
        keys = ((status_class, subject), (None, subject), (status_class, None), (None, None))
        near = sorted(place for key in keys for place in self._covering.get(key, ()))
        found = (self.rows[place] for place in near)
        covering = [row for row in found if row.span and row.span.covers(numbers)]
        return tuple(sorted(covering, key=lambda row: row.reach))

    def defaults_of(self, status: str | None, *, microsoft: bool) -> tuple[Row, ...]:
        """Return the rows that decide a status without telling text, the speaker's own meaning first."""
        foreign = Namespace.REGISTRY if microsoft else Namespace.MICROSOFT
        rows = (row for row in self.of_status(status) if row.is_default and row.reach <= Reach.RANGE)
        return tuple(sorted(rows, key=lambda row: (row.reach, row.namespace is foreign)))

    def of_reply_code(self, reply_code: str | None) -> tuple[Row, ...]:
        return self._replies.get(reply_code, ())

    def phrases(self, side: Side | None) -> tuple[Row, ...]:
        """Return the rows without a code that fit a side."""
        return self._phrases[side]

    def _plan(self, status: str | None, microsoft: bool, side: Side | None) -> Plan:
        rows = _fitting(self.of_status(status), side)
        return Plan(
            near=tuple(row for row in rows if row.reach <= Reach.RANGE),
            defaults=_fitting(self.defaults_of(status, microsoft=microsoft), side),
            subject=tuple(row for row in rows if row.reach is Reach.SUBJECT),
            rest=tuple(row for row in rows if row.reach > Reach.RANGE),
        )


def _fitting(rows: Iterable[Row], side: Side | None) -> tuple[Row, ...]:
    return tuple(row for row in rows if row.fits(side))
