"""Codes and phrases that belong to one provider or product: they count only when it speaks."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from bounce_watch.model import Cause
from bounce_watch.unwrap.fast_patterns import KeywordGuardedPattern


class FamilyCode(NamedTuple):
    """One code of a family. `status` codes compare with the status, the others are searched in the text."""

    cause: Cause
    pattern: KeywordGuardedPattern


class Family(NamedTuple):
    """The codes of one provider. `sign` is what shows that it speaks, in the reply or the host's name."""

    name: str
    sign: KeywordGuardedPattern
    codes: tuple[FamilyCode, ...]
    statuses: tuple[tuple[str, Cause], ...]
    weight: float
    source: str
    checked: date

    def said(self, text: str, lowered: str, status: str | None) -> Iterator[tuple[Cause, str]]:
        """Yield the causes that the codes of this family give, with the code."""
        for code, cause in self.statuses:
            if status is not None and (status == code or (code[0] == "x" and status[1:] == code[1:])):
                yield cause, status
        for one in self.codes:
            if found := one.pattern.search(text, lowered):
                yield one.cause, found[0]
