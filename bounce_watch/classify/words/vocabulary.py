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
    beginnings: tuple[tuple[str, int, Rest], ...]
    """Phrases whose second word is only a beginning."""


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
        found = []
        for first, word in enumerate(words):
            if entries := self.entries(word):
                found += [Mention(concept, first, first) for concept in entries.alone]
                for second in (first + 1, first + 2):
                    if second < len(words):
                        found += _phrases(entries, words, first, second)
        return found[:MAX_MENTIONS]

    @cached_property
    def _unspaced(self) -> re.Pattern[str] | None:
        words = {
            plain(word) for words in self.concepts.values() for word in words if _IS_UNSPACED.search(word)
        }
        longest_first = sorted(words, key=lambda word: (-len(word), word))
        return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

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
    beginnings = []
    for concept, rest in found:
        if rest:
            (second, is_beginning), *others = rest
            if is_beginning:
                beginnings.append((second, concept, tuple(others)))
            else:
                phrases[second] = (*phrases.get(second, ()), (concept, tuple(others)))
    alone = tuple(dict.fromkeys(concept for concept, rest in found if not rest))
    return _Entries(alone, phrases, tuple(beginnings))


def _phrases(entries: _Entries, words: list[str], first: int, second: int) -> list[Mention]:
    """Return the mentions of phrases whose second word stands at a place."""
    word = words[second]
    following = list(entries.phrases.get(word, ()))
    following += [(concept, rest) for start, concept, rest in entries.beginnings if word.startswith(start)]
    ends = ((concept, _last_of(rest, words, second)) for concept, rest in following)
    return [Mention(concept, first, last) for concept, last in ends if last is not None]


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
