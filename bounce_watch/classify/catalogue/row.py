"""A row of the catalogue: the meaning of a status code or a phrase (RFC 3463, vendor pages)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from bounce_watch.model import Cause, Owner, Persistence, Side
from bounce_watch.unwrap.fast_patterns import KeywordGuardedPattern

MAX_WORK = 10_000
"""Maximum number of ways to try one pattern at one position of a text."""

_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}
_PLAIN = {sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN, sre.AT}
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)


class CatalogueError(ValueError):
    """A row of the catalogue can't be used; the message names the row and the fix."""


class Confidence(StrEnum):
    """What kind of source a row rests on."""

    DOCUMENTED = "documented"
    REGISTRY = "registry"
    OBSERVED = "observed"
    SECONDARY = "secondary"
    INFERRED = "inferred"


class Namespace(StrEnum):
    """Whose meaning a row gives: Microsoft and the IANA registry use some numbers differently."""

    MICROSOFT = "microsoft"
    REGISTRY = "registry"
    COMMON = "common"


class Reach(IntEnum):
    """How closely a row's code matches a status: smaller is closer."""

    EXACT = 0
    RANGE = 1
    SUBJECT = 2
    CLASS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSpan:
    """The statuses of one row. None stands for `x`, any number."""

    status_class: int | None
    subject: int | None
    low: int | None
    high: int | None

    @property
    def reach(self) -> Reach:
        if self.low is not None:
            return Reach.EXACT if self.low == self.high else Reach.RANGE
        return Reach.SUBJECT if self.subject is not None else Reach.CLASS

    def covers(self, status: tuple[int, int, int]) -> bool:
        status_class, subject, detail = status
        if self.status_class not in (None, status_class) or self.subject not in (None, subject):
            return False
        return self.low is None or self.high is None or self.low <= detail <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One meaning of one code, or of one phrase if `code` is None.

    `side` None fits both sides. A row with `is_default` applies to its code without matching text; one with
    `is_generic` is only the usual meaning of its code. One with `is_bare` is a code that servers use for
    anything: without words it tells no reason. `weight` is that of its words; `pattern` finds any phrase of
    `match`. With a `sign` it counts only where its `provider` speaks. `owner_ours` must act if our own
    servers refused, None for `owner`. `has_own_admin_steps` tells that `admin_steps` are for this code, not
    for its whole cause.
    """

    code: str | None
    variant: str | None
    span: CodeSpan | None
    namespace: Namespace
    side: Side | None
    match: tuple[str, ...]
    pattern: KeywordGuardedPattern | None
    is_default: bool
    is_generic: bool
    is_bare: bool
    weight: float
    title: str
    meaning: str
    cause: Cause
    owner: Owner
    owner_ours: Owner | None
    persistence: Persistence
    sender_steps: tuple[str, ...]
    admin_steps: tuple[str, ...]
    has_own_admin_steps: bool
    playbook: str | None
    provider: str | None
    sign: KeywordGuardedPattern | None
    source: str
    checked: date
    confidence: Confidence

    @property
    def name(self) -> str:
        """The name that people see: `5.7.1/auth-required`, `5.7.23`, `text/user-unknown`."""
        code = self.code or "text"
        return f"{code}/{self.variant}" if self.variant else code

    @property
    def reach(self) -> Reach:
        return self.span.reach if self.span else Reach.CLASS

    @property
    def is_reply_row(self) -> bool:
        """Tell whether the row gives the meaning of a basic reply code (RFC 5321 section 4.2)."""
        return self.code is not None and self.span is None

    def owner_on(self, side: Side | None) -> Owner:
        return self.owner_ours if side is Side.OURS and self.owner_ours else self.owner

    def is_spoken(self, spoken: str) -> bool:
        """Tell whether the row's provider speaks; `spoken` holds reply and host name in small letters."""
        return self.sign is None or self.sign.search(spoken, spoken) is not None

    def fits(self, side: Side | None) -> bool:
        return self.side is None or side is None or self.side is side


def read_status(status: str | None) -> tuple[int, int, int] | None:
    """Return the three numbers of a status (RFC 3463 section 2), None for anything else."""
    if status is None or not _STATUS.fullmatch(status):
        return None
    status_class, subject, detail = map(int, status.split("."))
    return status_class, subject, detail


def compile_linear(patterns: Sequence[str], where: str) -> KeywordGuardedPattern | None:
    """Return one case-insensitive pattern that finds any of `patterns`, None without patterns.

    The pattern takes linear time on any text. Raises CatalogueError for a pattern that does not compile,
    repeats without a bound, nests repeats, or uses look-around or back-references.
    """
    for pattern in patterns:
        _check(pattern, where)
    if not patterns:
        return None
    return KeywordGuardedPattern("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


def _check(pattern: str, where: str) -> None:
    try:
        work = _work(parser.parse(pattern), inside=False)
    except (re.error, RecursionError) as error:
        raise CatalogueError(f"{where}: pattern {pattern!r} does not compile: {error}") from error
    except ValueError as error:
        raise CatalogueError(f"{where}: pattern {pattern!r} {error}") from error
    if work > MAX_WORK:
        raise CatalogueError(f"{where}: pattern {pattern!r} repeats too much, use smaller bounds")


def _work(items: Iterable[tuple[Any, Any]], *, inside: bool) -> int:
    """Return the number of ways to try a parsed sequence at one position."""
    work = 1
    for operator, argument in items:
        work *= _work_of(operator, argument, inside)
    return work


def _work_of(operator: Any, argument: Any, inside: bool) -> int:
    if operator in _PLAIN:
        return 1
    if operator is sre.SUBPATTERN:
        return _work(argument[-1], inside=inside)
    if operator is sre.BRANCH:
        return sum(_work(branch, inside=inside) for branch in argument[1])
    if operator in _REPEATS:
        least, most, body = argument
        return _work_of_repeat(least, most, body, inside)
    raise ValueError(f"uses {str(operator).lower()}, which may take more than linear time")


def _work_of_repeat(least: int, most: int, body: Iterable[tuple[Any, Any]], inside: bool) -> int:
    if most == sre.MAXREPEAT:
        raise ValueError("repeats without a bound, write {0,40} instead of * or +")
    if inside and most > 1:
        raise ValueError("nests one repeat in another")
    inner = _work(body, inside=inside or most > 1)
    return max(int(inner), 1) * (most - least + 1)
