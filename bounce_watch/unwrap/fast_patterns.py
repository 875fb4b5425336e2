"""Patterns that search texts fast: behind a plain search for words, many at once, and at line starts."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Generic, TypeVar

MIN_WORD = 2
MAX_CACHED = 1024
"""Words of texts whose patterns are kept."""
_LONG_ENOUGH = 5
_ZERO_WIDTH = {sre.AT, sre.ASSERT, sre.ASSERT_NOT}
_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}
# A case-insensitive pattern takes these letters for `i`, `s` and `k`.
_TWINS = str.maketrans({"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"})

Words = frozenset[str]
Item = TypeVar("Item")


def folded(text: str) -> str:
    """Return a text in the lower case that `KeywordGuardedPattern` searches for its words."""
    return text.lower() if text.isascii() else text.translate(_TWINS).lower()


class KeywordGuardedPattern:
    """A pattern that runs only on texts with one of the words that every match needs.

    A plain search costs a fraction of a pattern of many branches, and most texts hold none of the words.
    `words` is empty if no such words are known; then the pattern always runs. Both are computed at first
    use, because a command that ends soon needs few of the patterns.
    """

    def __init__(self, source: str, flags: int = 0) -> None:
        self._source = source
        self._flags = flags

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self._source, self._flags)

    @cached_property
    def words(self) -> tuple[str, ...]:
        found = _needed(parser.parse(self._source, self._flags))
        return tuple(sorted(_without_longer(found or frozenset()), key=len))

    @cached_property
    def signs(self) -> tuple[str, ...]:
        """The words, or the empty text, which every text holds."""
        return self.words or ("",)

    def is_possible(self, lowered: str) -> bool:
        """Tell whether a text may match; `lowered` is the text as `folded` returns it."""
        for sign in self.signs:  # noqa: SIM110 - any() with a generator costs more than the searches
            if sign in lowered:
                return True
        return False

    def search(self, text: str, lowered: str | None = None) -> re.Match[str] | None:
        """Return the first match; pass `lowered` if `folded(text)` is already known."""
        return self.pattern.search(text) if self.is_possible(lowered or folded(text)) else None


class PatternIndex(Generic[Item]):
    """Many patterns of which a text may match few: finds those few without trying each.

    Each needed word is looked for by its longest part without spaces, and a text's words repeat, so that
    most of a text costs one look into a cache.
    """

    def __init__(self, items: Iterable[tuple[Item, Sequence[KeywordGuardedPattern]]]) -> None:
        listed = tuple(items)
        self._items = [item for item, _ in listed]
        self._patterns = [(place, one) for place, (_, patterns) in enumerate(listed) for one in patterns]
        self._needed_by: Callable[[str], tuple[tuple[str, int], ...]] = lru_cache(MAX_CACHED)(
            self._find_needed
        )

    def matches(self, text: str, lowered: str) -> list[tuple[Item, re.Match[str]]]:
        """Return each item of which a pattern matches, with the first match, in the order of the items."""
        possible = set(self._always)
        for word in lowered.split():
            for needed, number in self._needed_by(word):
                if number not in possible and needed in lowered:
                    possible.add(number)
        found: dict[int, re.Match[str]] = {}
        for number in sorted(possible):
            place, pattern = self._patterns[number]
            if place not in found and (match := pattern.pattern.search(text)):
                found[place] = match
        return [(self._items[place], match) for place, match in found.items()]

    @cached_property
    def _always(self) -> frozenset[int]:
        """The numbers of the patterns that need no known word."""
        return frozenset(number for number, (_, one) in enumerate(self._patterns) if not one.words)

    @cached_property
    def _parts(self) -> dict[str, list[tuple[str, str, int]]]:
        """The needed words by the first letters of their longest part: the part, the word, the number."""
        parts: dict[str, list[tuple[str, str, int]]] = {}
        for number, (_, pattern) in enumerate(self._patterns):
            for word in pattern.words:
                part = max(word.split() or [""], key=len)
                parts.setdefault(part[:MIN_WORD], []).append((part, word, number))
        return parts

    def _find_needed(self, word: str) -> tuple[tuple[str, int], ...]:
        """Return the needed words whose part a word holds, and the numbers of their patterns."""
        parts = self._parts
        starts = {word[place : place + MIN_WORD] for place in range(len(word))} & parts.keys()
        found = {
            (needed, number) for start in starts for part, needed, number in parts[start] if part in word
        }
        return tuple(found)


def _without_longer(words: Words) -> Words:
    """Drop words that contain another one, because a search for the shorter word finds them too."""
    return frozenset(word for word in words if not any(other in word for other in words if other is not word))


def _needed(items: Iterable[tuple[Any, Any]]) -> Words | None:
    """Return words of which each match holds at least one, long and few; None if there are none."""
    choices = [words for words in _choices(items) if words and min(map(len, words)) >= MIN_WORD]
    return max(choices, key=_worth, default=None)


def _worth(words: Words) -> tuple[int, int]:
    return min(_LONG_ENOUGH, *map(len, words)), -len(words)


def _choices(items: Iterable[tuple[Any, Any]]) -> list[Words]:
    """Return the words that each stretch needs: a run of letters needs one, a branch one of several."""
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
    """Tell whether `folded` treats a letter as a case-insensitive pattern does."""
    return letter.isascii() or letter.lower() == letter.upper()


def _flat(items: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Open the groups of a sequence, so that `user(?: un)known` is one run."""
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
    """A pattern, written without `^`, whose matches begin a line; `$` means the end of a line.

    `re` tries `^` at every letter of a text. A search that begins with a line break is much faster.
    """

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._pattern = pattern
        self._flags = flags | re.MULTILINE

    @cached_property
    def _here(self) -> re.Pattern[str]:
        return re.compile(self._pattern, self._flags)

    @cached_property
    def _after_break(self) -> re.Pattern[str]:
        return re.compile(rf"\n(?:{self._pattern})", self._flags)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match, None when no line begins like that."""
        if first := self._here.match(text):
            return first
        later = self._after_break.search(text)
        return self._here.match(text, later.start() + 1) if later else None
