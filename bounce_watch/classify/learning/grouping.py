"""Join refusals that say the same into groups, those that hit most people first."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from rapidfuzz import fuzz, process

from bounce_watch.classify.learning.masking import mask, words_of
from bounce_watch.model import Bounce

ALIKE = 78
"""How alike the words of two replies must be, of 100, to be one group."""
MAX_EXAMPLES = 3
MAX_TEXTS = 3_000
"""Different masked replies that are compared; rarer ones are groups of their own."""


class Refusal(NamedTuple):
    """A stored bounce that was not understood, and its number."""

    id: int
    bounce: Bounce


@dataclass(slots=True)
class Group:
    """Refusals in the same words. `masked` is the most frequent reply, `people` the senders it hit."""

    masked: str
    people: set[str] = field(default_factory=set)
    bounces: int = 0
    examples: list[Refusal] = field(default_factory=list)

    def add(self, refusal: Refusal) -> None:
        self.bounces += 1
        self.people.add((refusal.bounce.sender or "").lower())
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(refusal)

    def join(self, other: "Group") -> None:
        """Take another group's refusals in."""
        self.bounces += other.bounces
        self.people |= other.people
        self.examples = (self.examples + other.examples)[:MAX_EXAMPLES]


def group(refusals: Iterable[Refusal]) -> list[Group]:
    """Return the groups of all refusals with words in them, most people first, then most bounces."""
    exact: dict[str, Group] = {}
    for one in refusals:
        masked = masked_reply(one.bounce)
        if any(words_of(masked)):
            exact.setdefault(masked, Group(masked)).add(one)
    return _sorted(_joined(_sorted(exact.values())))


def masked_reply(bounce: Bounce) -> str:
    """Return the server's words without addresses, also without the recipient's name alone."""
    return mask(bounce.diagnostic_code or "", bounce.recipient.rpartition("@")[0])


def _sorted(groups: Iterable[Group]) -> list[Group]:
    return sorted(groups, key=lambda one: (-len(one.people), -one.bounces, one.masked))


def _joined(groups: list[Group]) -> list[Group]:
    heads: dict[str, Group] = {}
    for one in groups:
        words = " ".join(words_of(one.masked))
        near = process.extractOne(words, heads.keys(), scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE)
        if near:
            heads[near[0]].join(one)
        elif len(heads) < MAX_TEXTS:
            heads[words] = one
    return list(heads.values())
