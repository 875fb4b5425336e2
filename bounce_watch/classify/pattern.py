"""Patterns that take linear time whatever the text: repeats are bounded, small and not nested."""

import re
from collections.abc import Iterable, Sequence
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from bounce_watch.classify.errors import CatalogueError
from bounce_watch.unwrap.fast_patterns import Gated, gated

MAX_WORK = 10_000
"""Most ways in which one pattern may be tried from one position of the text."""

_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}
_PLAIN = {sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN, sre.AT}


def compile_linear(patterns: Sequence[str], where: str) -> Gated | None:
    """Return one case-blind pattern that finds any of `patterns`, None when there are none.

    Raises CatalogueError for a pattern that does not compile, repeats without a bound, nests repeats,
    or uses look-around or back-references.
    """
    for pattern in patterns:
        _check(pattern, where)
    if not patterns:
        return None
    return gated("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


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
    """Return in how many ways a parsed sequence can be tried at one position."""
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
