"""What the words of a reply say: statements of its clauses, and phrases where these are not clear."""

from collections.abc import Iterator
from typing import NamedTuple

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.vote import Ground, Vote
from bounce_watch.classify.words.clean import clause_at, clauses_of, without_names
from bounce_watch.classify.words.vocabulary import Mention, Vocabulary
from bounce_watch.model import Side
from bounce_watch.unwrap.fast_patterns import folded

ADVICE = 0.45
"""The share in which a clause counts that only advises."""
LONGER = 60
"""Letters for which a phrase weighs one more, because a long match is no accident."""
MOST_FOR_LENGTH = 0.8
CLEAR, CLEAR_LEAD = 5.0, 2.0
"""The weight of a statement, and its lead over other causes, from which on no phrase is looked for."""


class _ReadClause(NamedTuple):
    """A clause with the concepts that its words name. `weight` is the share in which it counts."""

    words: list[str]
    mentions: list[Mention]
    weight: float


def of_words(catalogue: Catalogue, text: str, side: Side | None) -> Iterator[Vote]:
    """Yield what the words say; standing phrases are asked only when the rest says nothing."""
    for told in catalogue.knowledge.standing.readings(without_names(text)):
        clauses = [_read(catalogue.knowledge.vocabulary, clause) for clause in clauses_of(told)]
        votes = list(_of_statements(catalogue, clauses))
        # A site's own phrases outweigh what is clear to us.
        if catalogue.knowledge.has_site_part or not _is_clear(votes):
            votes += _of_phrases(catalogue, told, clauses, side)
        if votes:
            yield from votes
            return


def _read(vocabulary: Vocabulary, clause: str) -> _ReadClause:
    words = vocabulary.words_in(clause)
    mentions = vocabulary.mentions(words)
    weight = 1.0
    for mention in mentions:
        if mention.concept == vocabulary.advice:
            weight = ADVICE
    return _ReadClause(words, mentions, weight)


def _is_clear(votes: list[Vote]) -> bool:
    """Tell whether statements leave no doubt, so that the phrases, which take longest, can be left out."""
    if not votes:
        return False
    best = max(votes, key=lambda vote: vote.weight)
    others = [vote.weight for vote in votes if vote.cause is not best.cause]
    return best.weight >= CLEAR and best.weight - max(others, default=0.0) >= CLEAR_LEAD


def _of_phrases(
    catalogue: Catalogue, text: str, clauses: list[_ReadClause], side: Side | None
) -> Iterator[Vote]:
    for row, found in catalogue.phrases(side).matches(text, folded(text)):
        weight = row.weight + min(len(found[0]) / LONGER, MOST_FOR_LENGTH)
        clause = clauses[min(clause_at(text, found.start()), len(clauses) - 1)]
        yield Vote(row.cause, weight * clause.weight, Ground.TEXT, row, found[0])


def _of_statements(catalogue: Catalogue, clauses: list[_ReadClause]) -> Iterator[Vote]:
    for clause in clauses:
        for said in catalogue.knowledge.statements.said(clause.mentions, clause.words):
            cause, weight = said.statement.cause, said.statement.weight * clause.weight
            yield Vote(cause, weight, Ground.TEXT, None, said)
