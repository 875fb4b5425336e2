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
    """The codes of one provider. Any of `signs` in a reply or a host's name shows that it speaks."""

    name: str
    signs: tuple[str, ...]
    codes: tuple[FamilyCode, ...]
    statuses: tuple[tuple[str, Cause], ...]
    weight: float
    source: str
    checked: date

    def speaks_in(self, text: str) -> bool:
        """Tell whether a reply or a host name shows this provider."""
        return any(re.search(sign, text, re.IGNORECASE) for sign in self.signs)


class FamilyIndex:
    """The codes of all families, looked for only in the replies of those that speak."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._speaking = PatternIndex(((one, _codes_of(one)), _guarded(one.signs)) for one in families)

    def said(
        self, text: str, lowered: str, status: str | None, spoken: str
    ) -> Iterator[tuple[Family, Cause, str]]:
        """Yield each code of a family that speaks: the family, the cause and the code.

        `spoken` is the reply with the name of its server, in small letters.
        """
        speaking = self._speaking.matches(spoken, spoken)
        for (family, codes), _ in speaking:
            for cause, patterns in codes:
                for pattern in patterns:
                    if found := pattern.search(text, lowered):
                        yield family, cause, found[0]
                        break
        for (family, _), _ in speaking:
            for one, cause in family.statuses:
                if status and one in (status, f"x{status[1:]}"):
                    yield family, cause, status


def _codes_of(family: Family) -> list[tuple[Cause, list[KeywordGuardedPattern]]]:
    return [(code.cause, _guarded(code.patterns)) for code in family.codes]


def _guarded(patterns: Iterable[str]) -> list[KeywordGuardedPattern]:
    """Return each pattern on its own, because a search for one is much faster than for all."""
    return [KeywordGuardedPattern(pattern, re.IGNORECASE) for pattern in patterns]
