"""Which concepts the words of a clause name: one table from words of many languages to concepts."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

from bounce_watch.classify.words.clean import plain, words_of

MAX_CACHED = 1024
"""Words whose concepts are kept."""
MAX_MENTIONS = 120
MIN_BEGINNING = 3

# Chinese, Japanese and Korean write no spaces between words that belong together.
_UNSPACED = "[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff]"
_IS_UNSPACED = re.compile(_UNSPACED)

Rest = tuple[tuple[str, bool], ...]
"""The further words of a phrase, each with whether it is only a beginning."""
_Phrase = tuple[int, Rest]
"""A concept, and what must follow the first word."""


class Mention(NamedTuple):
    """A concept, as a bit, and the positions of its first and last word."""

    concept: int
    first: int
    last: int


class _Entries(NamedTuple):
    """What begins with one word: concepts that it names alone, and phrases by their second word."""

    alone: tuple[int, ...]
    phrases: dict[str, tuple[tuple[int, Rest], ...]]
    beginnings: dict[str, tuple[tuple[str, int, Rest], ...]]
    """Phrases whose second word is only a beginning, by its first letters."""
    has_phrases: bool


class Vocabulary:
    """The words of all concepts. `x*` is a beginning; one foreign word may stand within a phrase."""

    def __init__(self, concepts: Mapping[str, Iterable[str]]) -> None:
        self.concepts = {name: tuple(words) for name, words in concepts.items()}
        self.bits = {name: 1 << place for place, name in enumerate(self.concepts)}
        self.advice = self.bits.get("advice", 0)
        self.entries: Callable[[str], _Entries | None] = lru_cache(MAX_CACHED)(self._find_entries)

    def __reduce__(self) -> tuple[type["Vocabulary"], tuple[dict[str, tuple[str, ...]]]]:
        return Vocabulary, (self.concepts,)

    def words_in(self, text: str) -> list[str]:
        """Return the words of a plain text, those of a language without spaces each on its own."""
        if not text.isascii() and _IS_UNSPACED.search(text) and self._unspaced:
            text = self._unspaced.sub(lambda found: f" {found[0].replace(' ', '')} ", text)
        return words_of(text)

    def mentions(self, words: list[str]) -> list[Mention]:
        """Return the concepts that the words name, in the order of the words."""
        found: list[Mention] = []
        whole, starts, entries = self._whole, self._starts, self.entries
        for first, word in enumerate(words):
            # Most words are in no table, and must not push the others out of the cache.
            if word in whole or word[:MIN_BEGINNING] in starts:
                named = entries(word)
                if named is None:
                    continue
                for concept in named.alone:
                    found.append(Mention(concept, first, first))  # noqa: PERF401 - runs for every word
                if named.has_phrases:
                    _add_phrases(found, named, words, first)
        return found[:MAX_MENTIONS]

    @cached_property
    def _unspaced(self) -> re.Pattern[str] | None:
        words = {
            plain(word) for words in self.concepts.values() for word in words if _IS_UNSPACED.search(word)
        }
        longest_first = sorted(words, key=lambda word: (-len(word), word))
        return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    @cached_property
    def _whole(self) -> frozenset[str]:
        return frozenset(self._tables[0])

    @cached_property
    def _starts(self) -> frozenset[str]:
        """The first letters of all beginnings."""
        return frozenset(word[:MIN_BEGINNING] for word in self._tables[1])

    @cached_property
    def _tables(self) -> tuple[dict[str, list[_Phrase]], dict[str, list[_Phrase]]]:
        """The phrases by their first word: of whole words, and of beginnings."""
        whole: dict[str, list[_Phrase]] = defaultdict(list)
        beginnings: dict[str, list[_Phrase]] = defaultdict(list)
        for name, phrases in self.concepts.items():
            for phrase in phrases:
                (first, is_beginning), *rest = _pieces(phrase)
                table = beginnings if is_beginning else whole
                table[first].append((self.bits[name], tuple(rest)))
        return whole, beginnings

    def _find_entries(self, word: str) -> _Entries | None:
        whole, beginnings = self._tables
        found = list(whole.get(word, ()))
        for length in range(MIN_BEGINNING, len(word) + 1):
            found += beginnings.get(word[:length], ())
        return _entries(found) if found else None


def _entries(found: list[_Phrase]) -> _Entries:
    phrases: dict[str, tuple[_Phrase, ...]] = {}
    beginnings: dict[str, tuple[tuple[str, int, Rest], ...]] = {}
    for concept, rest in found:
        if rest:
            (second, is_beginning), *others = rest
            if is_beginning:
                start = second[:MIN_BEGINNING]
                beginnings[start] = (*beginnings.get(start, ()), (second, concept, tuple(others)))
            else:
                phrases[second] = (*phrases.get(second, ()), (concept, tuple(others)))
    alone = tuple(dict.fromkeys(concept for concept, rest in found if not rest))
    return _Entries(alone, phrases, beginnings, bool(phrases or beginnings))


def _add_phrases(found: list[Mention], entries: _Entries, words: list[str], first: int) -> None:
    """Add the mentions of phrases that begin at a place; their second word follows, or the one after it."""
    for second in range(first + 1, min(first + 3, len(words))):
        word = words[second]
        for concept, rest in entries.phrases.get(word, ()):
            last = _last_of(rest, words, second) if rest else second
            if last is not None:
                found.append(Mention(concept, first, last))
        for start, concept, rest in entries.beginnings.get(word[:MIN_BEGINNING], ()):
            if word.startswith(start):
                last = _last_of(rest, words, second) if rest else second
                if last is not None:
                    found.append(Mention(concept, first, last))


def _pieces(phrase: str) -> list[tuple[str, bool]]:
    if _IS_UNSPACED.search(phrase):
        return [(plain(phrase).replace(" ", ""), False)]
    return [
        (word, piece.endswith("*")) for piece in phrase.split() for word in words_of(plain(piece.rstrip("*")))
    ]


def _last_of(rest: Rest, words: list[str], first: int) -> int | None:
    """Return the position of the last word of a phrase, None if its words do not follow."""
    last = first
    for wanted, is_beginning in rest:
        for place, word in enumerate(words[last + 1 : last + 3], last + 1):
            if word == wanted or (is_beginning and word.startswith(wanted)):
                last = place
                break
        else:
            return None
    return last
