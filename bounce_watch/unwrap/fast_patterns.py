"""A pattern behind plain searches: it runs only where a text holds one of the words it cannot do without.

A search for a word costs a fraction of a pattern of many branches, and most texts hold none of its words.


A pattern that begins at a line's start: found from line break to line break.

The standard `^` is tried at every letter of a text; a search that begins with a line break leaps.


Attributes that are worked out when they are first asked for; the standard one takes a lock each time."""

import re
from collections.abc import Callable, Iterable, Sequence
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Generic, TypeVar

Owner = TypeVar("Owner")
Value = TypeVar("Value")


class lazy(Generic[Owner, Value]):  # noqa: N801 - it is used as `property` is
    """Compute an attribute once and keep it in the object's own dictionary, without a lock."""

    def __init__(self, compute: Callable[[Owner], Value]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, owner: Owner, of: type[Any] | None = None) -> Value:
        value = owner.__dict__[self._name] = self._compute(owner)
        return value


MIN_WORD = 2
_LONG_ENOUGH = 5
_ZERO_WIDTH = {sre.AT, sre.ASSERT, sre.ASSERT_NOT}
_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}
# Letters beyond ASCII that a case-blind pattern takes for `i`, `s` and `k`.
_TWINS = str.maketrans({"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"})

Words = frozenset[str]


def folded(text: str) -> str:
    """Return a text in the lower case that the words of a gated pattern are looked for in."""
    return text.lower() if text.isascii() else text.translate(_TWINS).lower()


class KeywordGuardedPattern:
    """A compiled pattern and its words; every text that matches holds at least one of them.

    `words` is empty where no such words are known: then the pattern always runs. All of it is worked out at
    first use: most patterns are never needed by a process that lives as long as one command.
    """

    def __init__(self, source: str, flags: int = 0) -> None:
        self._source = source
        self._flags = flags

    @lazy
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self._source, self._flags)

    @lazy
    def words(self) -> tuple[str, ...]:
        found = _needed(parser.parse(self._source, self._flags))
        return tuple(sorted(_without_longer(found or frozenset()), key=len))

    @lazy
    def signs(self) -> tuple[str, ...]:
        """What `is_possible` looks for: the words, else the empty text, which is everywhere."""
        return self.words or ("",)

    def is_possible(self, lowered: str) -> bool:
        """Tell whether a text, given as `folded`, may match."""
        for sign in self.signs:  # noqa: SIM110 - a generator for any() would cost more than the searches
            if sign in lowered:
                return True
        return False

    def search(self, text: str, lowered: str | None = None) -> re.Match[str] | None:
        """Search as the pattern would; `lowered` is `folded(text)` where the caller has it already."""
        return self.pattern.search(text) if self.is_possible(lowered or folded(text)) else None


def _without_longer(words: Words) -> Words:
    """Drop the words that hold another one: the other is found wherever they are."""
    return frozenset(word for word in words if not any(other in word for other in words if other is not word))


def _needed(items: Iterable[tuple[Any, Any]]) -> Words | None:
    """Return words of which any match holds one, None when there are none: the longest of the fewest."""
    choices = [words for words in _choices(items) if words and min(map(len, words)) >= MIN_WORD]
    return max(choices, key=_worth, default=None)


def _worth(words: Words) -> tuple[int, int]:
    return min(_LONG_ENOUGH, *map(len, words)), -len(words)


def _choices(items: Iterable[tuple[Any, Any]]) -> list[Words]:
    """Return what each stretch of a sequence needs: a run of letters one word, a branch one of several."""
    choices: list[Words] = []
    run = ""
    for operator, argument in _flat(items):
        if operator is sre.LITERAL and _is_plain(chr(argument)):
            run += chr(argument).lower()
        elif operator not in _ZERO_WIDTH:
            choices += [frozenset({run}), _needed_of(operator, argument)]
            run = ""
    return [*choices, frozenset({run})]


def _is_plain(letter: str) -> bool:
    """Tell whether `folded` treats a letter as a case-blind pattern does."""
    return letter.isascii() or letter.lower() == letter.upper()


def _flat(items: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Open the groups of a sequence: `user(?: un)known` is one run."""
    flat: list[tuple[Any, Any]] = []
    for operator, argument in items:
        flat += _flat(argument[-1]) if operator is sre.SUBPATTERN else [(operator, argument)]
    return flat


def _needed_of(operator: Any, argument: Any) -> Words:
    if operator is sre.BRANCH:
        return _union([_needed(branch) for branch in argument[1]])
    if operator in _REPEATS and argument[0] >= 1:
        return _needed(argument[2]) or frozenset()
    return frozenset()


def _union(branches: Sequence[Words | None]) -> Words:
    known = [words for words in branches if words]
    return frozenset().union(*known) if len(known) == len(branches) else frozenset()


class LineStartPattern:
    """A pattern whose matches begin a line. It is written without `^`; `$` means the end of a line."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._pattern = pattern
        self._flags = flags | re.MULTILINE

    @lazy
    def _here(self) -> re.Pattern[str]:
        return re.compile(self._pattern, self._flags)

    @lazy
    def _after_break(self) -> re.Pattern[str]:
        return re.compile(rf"\n(?:{self._pattern})", self._flags)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match, None when no line begins like that."""
        if first := self._here.match(text):
            return first
        later = self._after_break.search(text)
        return self._here.match(text, later.start() + 1) if later else None
