"""All rows of the catalogue, indexed so that a status finds its few rows quickly."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from bounce_watch.classify.catalogue.knowledge import Knowledge
from bounce_watch.classify.catalogue.row import Namespace, Reach, Row, read_status
from bounce_watch.classify.words.families import FamilyIndex
from bounce_watch.model import Cause, Side
from bounce_watch.unwrap.fast_patterns import KeywordGuardedPattern, PatternIndex

MAX_CACHED = 4096
"""Statuses whose candidates are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRows:
    """The rows that may explain one status, in the order in which they are tried.

    `near` rows name the status itself or a range with it. `defaults` are the near rows that need no matching
    text, those of the refusing server's vendor first. `subject` and `rest` rows explain the status's group.
    """

    near: tuple[Row, ...]
    defaults: tuple[Row, ...]
    subject: tuple[Row, ...]
    rest: tuple[Row, ...]


class Catalogue:
    """All rows in the order of the file, which is the order of the tests. `version` names what they say."""

    __slots__ = (
        "_covering",
        "_general",
        "_phrases",
        "_replies",
        "candidates",
        "families",
        "knowledge",
        "rows",
        "text_rows",
        "version",
    )

    candidates: Callable[[str | None, bool, Side | None], CandidateRows]
    """Return the candidates for a status, whether Microsoft's server refused, and the side that refused."""

    def __init__(self, rows: Iterable[Row], knowledge: Knowledge, version: str = "") -> None:
        self.rows = tuple(rows)
        self.version = version
        self.knowledge = knowledge
        self.text_rows = tuple(row for row in self.rows if row.code is None)
        self._phrases = {side: _phrases(_fitting(self.text_rows, side)) for side in (None, *Side)}
        self.families = FamilyIndex(knowledge.families)
        self._covering = self._by_subject()
        self._replies: dict[str | None, tuple[Row, ...]] = {}
        for row in self.rows:
            if row.is_reply_row:
                self._replies[row.code] = (*self.of_reply_code(row.code), row)
        self.candidates = lru_cache(MAX_CACHED)(self._find_candidates)

        # The general rows of a cause come last, so the last one fits any words.
        self._general = {row.cause: row for row in (*self.rows, *self.text_rows)}

    def _by_subject(self) -> dict[tuple[int | None, int | None], list[int]]:
        """Return the positions of the rows with a span, by class and subject."""
        positions: dict[tuple[int | None, int | None], list[int]] = {}
        for position, row in enumerate(self.rows):
            if row.span:
                positions.setdefault((row.span.status_class, row.span.subject), []).append(position)
        return positions

    def __reduce__(self) -> tuple[type["Catalogue"], tuple[tuple[Row, ...], Knowledge, str]]:
        return Catalogue, (self.rows, self.knowledge, self.version)

    def row_of_cause(self, cause: Cause) -> Row | None:
        """Return the row that explains a cause in general, None if the rows never speak of it."""
        return self._general.get(cause)

    def of_status(self, status: str | None) -> tuple[Row, ...]:
        """Return the rows that cover a status, closest first, else in the order of the file."""
        numbers = read_status(status)
        if numbers is None:
            return ()
        status_class, subject, _ = numbers
        keys = ((status_class, subject), (None, subject), (status_class, None), (None, None))
        near = sorted(position for key in keys for position in self._covering.get(key, ()))
        found = (self.rows[position] for position in near)
        covering = [row for row in found if row.span and row.span.covers(numbers)]
        return tuple(sorted(covering, key=lambda row: row.reach))

    def defaults_of(self, status: str | None, *, microsoft: bool) -> tuple[Row, ...]:
        """Return the rows that need no matching text, those of the refusing server's vendor first."""
        foreign = Namespace.REGISTRY if microsoft else Namespace.MICROSOFT
        rows = (row for row in self.of_status(status) if row.is_default and row.reach <= Reach.RANGE)
        return tuple(sorted(rows, key=lambda row: (row.reach, row.namespace is foreign)))

    def of_reply_code(self, reply_code: str | None) -> tuple[Row, ...]:
        return self._replies.get(reply_code, ())

    def phrases(self, side: Side | None) -> PatternIndex[Row]:
        """Return the rows without a code that apply to a side, by their patterns."""
        return self._phrases[side]

    def _find_candidates(self, status: str | None, microsoft: bool, side: Side | None) -> CandidateRows:
        rows = _fitting(self.of_status(status), side)
        return CandidateRows(
            near=tuple(row for row in rows if row.reach <= Reach.RANGE),
            defaults=_fitting(self.defaults_of(status, microsoft=microsoft), side),
            subject=tuple(row for row in rows if row.reach is Reach.SUBJECT),
            rest=tuple(row for row in rows if row.reach > Reach.RANGE),
        )


def _fitting(rows: Iterable[Row], side: Side | None) -> tuple[Row, ...]:
    return tuple(row for row in rows if row.fits(side))


def _phrases(rows: Iterable[Row]) -> PatternIndex[Row]:
    """Index each phrase of a row on its own, because a search for one is much faster than for all."""
    return PatternIndex(
        (row, [KeywordGuardedPattern(phrase, re.IGNORECASE) for phrase in row.match]) for row in rows
    )
