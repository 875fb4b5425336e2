"""Codes and phrases that belong to one provider or product: they count only when it speaks."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from bounce_watch.model import Cause
from bounce_watch.unwrap.fast_patterns import KeywordGuardedPattern, PatternIndex


class FamilyCode(NamedTuple):
    """The patterns of the codes that mean one cause."""

    cause: Cause
    patterns: tuple[str, ...]


class Family(NamedTuple):
    """The codes of one provider. `sign` is what shows that it speaks, in the reply or the host's name."""

    name: str
    sign: KeywordGuardedPattern
    codes: tuple[FamilyCode, ...]
    statuses: tuple[tuple[str, Cause], ...]
    weight: float
    source: str
    checked: date


class FamilyIndex:
    """The codes of all families, found before anyone asks who speaks: few replies hold any of them."""

    def __init__(self, families: Iterable[Family]) -> None:
        listed = tuple(families)
        self._codes = PatternIndex(
            ((family, code.cause), [KeywordGuardedPattern(one, re.IGNORECASE) for one in code.patterns])
            for family in listed
            for code in family.codes
        )
        self._statuses: dict[str, tuple[tuple[Family, Cause], ...]] = {}
        for family in listed:
            for status, cause in family.statuses:
                self._statuses[status] = (*self._statuses.get(status, ()), (family, cause))

    def said(
        self, text: str, lowered: str, status: str | None, spoken: str
    ) -> Iterator[tuple[Family, Cause, str]]:
        """Yield each code of a family that speaks: the family, the cause and the code.

        `spoken` is the reply with the name of its server, in small letters.
        """
        for (family, cause), found in self._codes.matches(text, lowered):
            if family.sign.search(spoken, spoken):
                yield family, cause, found[0]
        if status is not None:
            for family, cause in (*self._statuses.get(status, ()), *self._statuses.get(f"x{status[1:]}", ())):
                if family.sign.search(spoken, spoken):
                    yield family, cause, status
