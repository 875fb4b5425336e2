"""What concepts mean when they stand together: `mailbox` and `full` within seven words is a full mailbox."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from bounce_watch.classify.words.vocabulary import Mention
from bounce_watch.model import Cause

MAX_CACHED = 1024
"""Sets of concepts whose statements are kept."""
ANYWHERE = 1_000


class Statement(NamedTuple):
    """`groups` are sets of concepts of which one each must be named, `forbidden` those that must not."""

    cause: Cause
    groups: tuple[int, ...]
    forbidden: int
    within: int
    ordered: bool
    weight: float


class Said(NamedTuple):
    """A statement that a clause makes, and the mentions that make it."""

    statement: Statement
    places: list[Mention]
    words: list[str]

    def __str__(self) -> str:
        return " ... ".join(" ".join(self.words[one.first : one.last + 1]) for one in self.places)


class Statements:
    """All statements; `possible` returns those whose concepts a clause names."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self.all = tuple(statements)
        self.possible: Callable[[int], tuple[Statement, ...]] = lru_cache(MAX_CACHED)(self._find_possible)

    def __reduce__(self) -> tuple[type["Statements"], tuple[tuple[Statement, ...]]]:
        return Statements, (self.all,)

    def _find_possible(self, named: int) -> tuple[Statement, ...]:
        return tuple(
            one
            for one in self.all
            if not one.forbidden & named and all(group & named for group in one.groups)
        )

    def said(self, mentions: list[Mention], words: list[str]) -> list[Said]:
        """Return the statements that a clause makes."""
        named = 0
        for mention in mentions:
            named |= mention.concept
        made = ((one, _together(one, mentions)) for one in self.possible(named))
        return [Said(statement, places, words) for statement, places in made if places]


def _together(statement: Statement, mentions: list[Mention]) -> list[Mention] | None:
    """Return the mentions that make a statement, None if they stand too far apart or in the wrong order."""
    first_group, *others = statement.groups
    for first in mentions:
        if first.concept & first_group:
            chosen = [first]
            for group in others:
                near = _nearest(statement, first, group, mentions)
                if near is None:
                    break
                chosen.append(near)
            else:
                return sorted(chosen, key=lambda one: one.first)
    return None


def _nearest(statement: Statement, one: Mention, group: int, mentions: list[Mention]) -> Mention | None:
    best, distance = None, statement.within + 1
    for other in mentions:
        if other.concept & group and other is not one:
            gap = other.first - one.last if other.first > one.first else one.first - other.last
            if gap < distance and not (statement.ordered and other.first < one.first):
                best, distance = other, gap
    return best
