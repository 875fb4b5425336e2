"""Decide why mail was refused: the cause for which most speaks in the replies of the servers."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.catalogue.row import Row
from bounce_watch.classify.vote import Ground, Vote
from bounce_watch.classify.votes import votes_of
from bounce_watch.model import Cause, Certainty, Side
from bounce_watch.parse.smtp_reply import SmtpReply

MAX_CACHED = 1024
"""Replies whose verdict is kept, because servers repeat the same words."""
AGREEING = 0.15
"""The share in which the second and third best vote of the words count."""
BESIDE_WORDS = 0.5
"""The share in which the code counts beside words."""
AROUND = 0.4
"""The share in which the words and code of a wrapper count beside the reply inside."""
TOLD, LEAD, LIKELY = 4.0, 1.0, 2.5
MAX_RIVALS = 3


class ServerReply(NamedTuple):
    """A reply, whether a server of Microsoft wrote it, and the name of the server where it is known."""

    reply: SmtpReply
    by_microsoft: bool
    host: str | None = None


class Score(NamedTuple):
    """All that speaks for one cause. `best` is the vote that it rests on: the heaviest of the words."""

    cause: Cause
    points: float
    best: Vote
    votes: list[Vote]

    @property
    def row(self) -> Row | None:
        """The closest row with a vote, None if the words are in no row."""
        closest: Vote | None = None
        for vote in self.votes:
            if vote.row and (closest is None or _is_closer(vote, closest)):
                closest = vote
        return closest.row if closest else None


class Verdict(NamedTuple):
    """The chosen row, how firmly it stands, and the scores of all causes, the highest first.

    `row` is only the usual meaning of the code if the server told no reason.
    """

    row: Row
    scores: tuple[Score, ...]
    certainty: Certainty

    @property
    def cause(self) -> Cause:
        return Cause.UNKNOWN if self.says_nothing else self.row.cause

    @property
    def says_nothing(self) -> bool:
        """Tell whether there is nothing but a code that servers use for anything."""
        return self.scores[0].best.is_bare

    @property
    def phrase(self) -> str:
        """The words that decided, empty if a code did."""
        return self.scores[0].best.quote

    @property
    def runner_up(self) -> Score | None:
        return self.scores[1] if len(self.scores) > 1 else None

    @property
    def why(self) -> str:
        """One sentence that says how the row was chosen, and what stood against it."""
        over = f" over {_named(self.scores[1:])}" if len(self.scores) > 1 else ""
        chosen = f"chose {self.row.name}{over}"
        if self.says_nothing:
            return f"the server gave no clear reason; its code usually means {self.row.name}"
        match self.scores[0].best.ground:
            case Ground.CODE_AND_TEXT | Ground.TEXT:
                return f'text matched "{self.phrase}", {chosen}'
            case Ground.CODE:
                return f"the code decides, {chosen}"
            case Ground.GENERIC_CODE:
                return f"no telling text, chose {self.row.name}, the usual meaning of the code{over}"
            case Ground.REPLY_CODE:
                return f"only the reply code tells, {chosen}"
            case Ground.GROUP:
                return f"code not in the catalogue, chose {self.row.name}, the meaning of its group{over}"


def decide(
    catalogue: Catalogue, inner: ServerReply | None, outer: ServerReply, side: Side | None
) -> Verdict | None:
    """Return the verdict on a reply and the one that it wraps, None if nothing speaks for any cause."""
    return _decide(catalogue, inner, outer, side)


@lru_cache(MAX_CACHED)
def _decide(
    catalogue: Catalogue, inner: ServerReply | None, outer: ServerReply, side: Side | None
) -> Verdict | None:
    around = _votes(catalogue, outer, side)
    if inner is None:
        return _verdict(catalogue, around)
    weaker = (vote._replace(weight=vote.weight * AROUND) for vote in around)
    return _verdict(catalogue, (*_votes(catalogue, inner, side), *weaker))


def _votes(catalogue: Catalogue, server: ServerReply, side: Side | None) -> tuple[Vote, ...]:
    return votes_of(catalogue, server.reply, side, by_microsoft=server.by_microsoft, host=server.host)


def _verdict(catalogue: Catalogue, votes: Iterable[Vote]) -> Verdict | None:
    scores = scores_of(votes)
    if not scores:
        return None
    first = scores[0]
    lead = first.points - (scores[1].points if len(scores) > 1 else 0)
    row = first.row or catalogue.row_of_cause(first.cause)
    return Verdict(row, scores, _certainty(first, lead)) if row else None


def scores_of(votes: Iterable[Vote]) -> tuple[Score, ...]:
    """Add up the votes by cause: the best of the words, a little of the next two, and the code."""
    by_cause: dict[Cause, list[Vote]] = {}
    words_speak = False
    for vote in votes:
        by_cause.setdefault(vote.cause, []).append(vote)
        words_speak = words_speak or vote.is_words
    share = BESIDE_WORDS if words_speak else 1.0
    scores = [_score(cause, group, share) for cause, group in by_cause.items()]
    scores.sort(key=_points, reverse=True)
    return tuple(scores)


def _points(score: Score) -> float:
    return score.points


def _score(cause: Cause, votes: list[Vote], code_share: float) -> Score:
    words, code, best = [], 0.0, votes[0]
    for vote in votes:
        if vote.is_words:
            words.append(vote.weight)
        else:
            weight = vote.weight if vote.is_certain else vote.weight * code_share
            code = max(code, weight)
        if _is_better(vote, best):
            best = vote
    words.sort(reverse=True)
    points = code + (words[0] + AGREEING * sum(words[1:3]) if words else 0.0)
    return Score(cause, points, best, votes)


def _is_better(vote: Vote, best: Vote) -> bool:
    if vote.is_words is not best.is_words:
        return vote.is_words
    return vote.weight > best.weight


def _is_closer(vote: Vote, closest: Vote) -> bool:
    """Tell whether a vote's row is closer: words of the very code come first, then the heavier vote."""
    own = vote.ground is Ground.CODE_AND_TEXT
    if own is not (closest.ground is Ground.CODE_AND_TEXT):
        return own
    return vote.weight > closest.weight


def _certainty(first: Score, lead: float) -> Certainty:
    best = first.best
    if best.row is not None and best.row.is_bare and not best.is_words:
        return Certainty.NOT_TOLD
    if first.points >= TOLD and lead >= LEAD:
        return Certainty.TOLD
    return Certainty.LIKELY if first.points >= LIKELY else Certainty.NOT_TOLD


def _named(scores: Iterable[Score]) -> str:
    """Name what stood against a verdict: the rows, or the causes that only words spoke for."""
    names = (score.row.name if score.row else score.cause.value for score in scores)
    return ", ".join(islice(names, MAX_RIVALS))
