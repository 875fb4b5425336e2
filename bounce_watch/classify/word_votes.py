"""What the words of a reply say: statements of its clauses, and phrases where these are not clear."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.catalogue.row import Row
from bounce_watch.classify.vote import Ground, Vote
from bounce_watch.classify.words.clean import clause_at, clauses_of, without_names
from bounce_watch.classify.words.statements import Statements
from bounce_watch.classify.words.vocabulary import Vocabulary
from bounce_watch.model import Side
from bounce_watch.unwrap.fast_patterns import PatternIndex, folded

MAX_CACHED = 1024
"""Clauses that are kept as read: replies with other addresses and ids repeat them."""
ADVICE = 0.45
"""The share in which a clause counts that only advises."""
LONGER = 60
"""Letters for which a phrase weighs one more, because a long match is no accident."""
MOST_FOR_LENGTH = 0.8
CLEAR, CLEAR_LEAD = 5.0, 2.0
"""The weight of a statement, and its lead over other causes, from which on no phrase is looked for."""


class _ReadClause(NamedTuple):
    """What a clause states. `weight` is the share in which it counts."""

    votes: tuple[Vote, ...]
    weight: float


def of_words(catalogue: Catalogue, text: str, side: Side | None, spoken: str) -> Iterator[Vote]:
    """Yield what the words say; standing phrases are asked only when the rest says nothing.

    `spoken` holds the whole reply and the name of its server, in small letters.
    """
    knowledge = catalogue.knowledge
    for told in knowledge.standing.readings(without_names(text)):
        clauses = [_read(knowledge.vocabulary, knowledge.statements, one) for one in clauses_of(told)]
        votes = [vote for clause in clauses for vote in clause.votes]
        # A site's own phrases outweigh what is clear to us.
        if knowledge.has_site_part or not _is_clear(votes):
            votes += _of_phrases(catalogue.phrases(side), told, clauses, spoken)
        if votes:
            yield from votes
            return


@lru_cache(MAX_CACHED)
def _read(vocabulary: Vocabulary, statements: Statements, clause: str) -> _ReadClause:
    words = vocabulary.words_in(clause)
    mentions = vocabulary.mentions(words)
    weight = 1.0
    for mention in mentions:
        if mention.concept == vocabulary.advice:
            weight = ADVICE
    votes = (
        Vote(said.statement.cause, said.statement.weight * weight, Ground.TEXT, None, said)
        for said in statements.said(mentions, words)
    )
    return _ReadClause(tuple(votes), weight)


def _is_clear(votes: list[Vote]) -> bool:
    """Tell whether statements leave no doubt, so that the phrases, which take longest, can be left out."""
    if not votes:
        return False
    best = max(votes, key=lambda vote: vote.weight)
    others = [vote.weight for vote in votes if vote.cause is not best.cause]
    return best.weight >= CLEAR and best.weight - max(others, default=0.0) >= CLEAR_LEAD


def _of_phrases(
    phrases: PatternIndex[Row], text: str, clauses: list[_ReadClause], spoken: str
) -> Iterator[Vote]:
    for row, found in phrases.matches(text, folded(text)):
        if not row.is_spoken(spoken):
            continue
        weight = row.weight + min(len(found[0]) / LONGER, MOST_FOR_LENGTH)
        clause = clauses[min(clause_at(text, found.start()), len(clauses) - 1)]
        yield Vote(row.cause, weight * clause.weight, Ground.TEXT, row, found[0])
