"""Patterns that search texts fast: behind a plain search for words, many at once, and at line starts."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Generic, TypeVar

MIN_WORD = 2
_LONG_ENOUGH = 5
_CAPITAL_ESCAPE = re.compile(r"\\[A-Z]")
_ZERO_WIDTH = {sre.AT, sre.ASSERT, sre.ASSERT_NOT}
_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}
# A case-insensitive pattern takes these letters for `i`, `s` and `k`.
_TWINS = str.maketrans({"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"})

Words = frozenset[str]
_Piece = tuple[str, str, str]
"""The letters by which a needed word is looked up."""
_Needed = tuple[str, int]
"""A word that a pattern needs, and the number of the pattern."""
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
        lowered = lowered or folded(text)
        return self.find(text, lowered) if self.is_possible(lowered) else None

    def find(self, text: str, lowered: str) -> re.Match[str] | None:
        """Return the first match in a text that may have one."""
        if self._in_small_letters is None or len(lowered) != len(text):
            return self.pattern.search(text)
        found = self._in_small_letters.search(lowered)
        return self.pattern.match(text, found.start()) if found else None

    @cached_property
    def _in_small_letters(self) -> re.Pattern[str] | None:
        """The pattern for lowered texts, which `re` searches faster; None with an escape such as `.B`."""
        if not self._flags & re.IGNORECASE or _CAPITAL_ESCAPE.search(self._source):
            return None
        try:
            return re.compile(self._source.lower(), self._flags & ~re.IGNORECASE)
        except re.error:  # such as (?P<name>x) and [A-_], which only compile as they are written
            return None


class PatternIndex(Generic[Item]):
    """Many patterns of which a text may match few: finds those few without trying each.

    A needed word can only stand where its rarest three letters do, and a text has few of those.
    """

    def __init__(self, items: Iterable[tuple[Item, Sequence[KeywordGuardedPattern]]]) -> None:
        listed = tuple(items)
        self._items = [item for item, _ in listed]
        self._patterns = [(place, one) for place, (_, patterns) in enumerate(listed) for one in patterns]

    def matches(self, text: str, lowered: str) -> list[tuple[Item, re.Match[str]]]:
        """Return each item of which a pattern matches, with the first match, in the order of the items."""
        by_piece, short, always = self._needed
        possible = set(always)
        for piece in by_piece.keys() & _pieces_of(lowered):
            for needed, number in by_piece[piece]:
                if needed in lowered:
                    possible.add(number)
        for needed, number in short:
            if needed in lowered:
                possible.add(number)
        found: dict[int, re.Match[str]] = {}
        for number in sorted(possible):
            place, pattern = self._patterns[number]
            if place not in found and (match := pattern.find(text, lowered)):
                found[place] = match
        return [(self._items[place], match) for place, match in found.items()]

    @cached_property
    def _needed(self) -> tuple[dict[_Piece, list[_Needed]], list[_Needed], list[int]]:
        """The needed words by their rarest piece, those too short for one, and the patterns without any."""
        words = [(word, number) for number, (_, one) in enumerate(self._patterns) for word in one.words]
        counted = Counter(piece for word, _ in words for piece in _pieces_of(word))
        by_piece: dict[_Piece, list[_Needed]] = {}
        short: list[_Needed] = []
        for word, number in words:
            pieces = sorted(_pieces_of(word), key=lambda piece: (counted[piece], piece))
            (by_piece.setdefault(pieces[0], []) if pieces else short).append((word, number))
        return by_piece, short, [number for number, (_, one) in enumerate(self._patterns) if not one.words]


def _pieces_of(text: str) -> set[_Piece]:
    return set(zip(text, text[1:], text[2:], strict=False))


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
