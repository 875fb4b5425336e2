"""Collect what speaks for each cause in one reply: its words, the codes of its provider, its status."""

from collections.abc import Iterator
from math import inf

from bounce_watch.classify.catalogue.index import CandidateRows, Catalogue
from bounce_watch.classify.catalogue.row import Namespace, Reach, Row
from bounce_watch.classify.vote import Ground, Vote
from bounce_watch.classify.word_votes import of_words
from bounce_watch.model import EXCHANGE_ONLINE_DECIDES, Cause, Side
from bounce_watch.parse.smtp_reply import SmtpReply
from bounce_watch.unwrap.fast_patterns import folded

SECOND_TOKEN = 2.0
# A tuple, because the hash of an enumeration costs more than a few comparisons.
_ONLY_OURS = tuple(EXCHANGE_ONLINE_DECIDES)

CERTAIN_CODE, ONE_MEANING, CLEAR_CODE, RANGE_CODE, GENERIC_CODE = 9.0, 6.0, 4.5, 3.2, 2.5
SUBJECT_CODE, REPLY_CODE, CLASS_CODE = 0.9, 1.0, 0.4
REPLY_CODES = {"535": 4.5, "530": 3.0}
VENDOR_DETAIL, SECURITY_DETAIL = 50, 20
"""From these details on a number has one meaning for every server: Microsoft's own, and those of x.7."""

_SECURITY = 7


def votes_of(
    catalogue: Catalogue, reply: SmtpReply, side: Side | None, *, by_microsoft: bool, host: str | None
) -> tuple[Vote, ...]:
    """Return all votes of one reply; what the reporter says around it counts only if it says nothing."""
    rows = catalogue.candidates(reply.status, by_microsoft, side)
    lowered = folded(reply.text)
    spoken = f"{lowered} {host.lower()}" if host else lowered
    own = _of_own_tokens(rows, reply.words, spoken)
    votes = [
        *own,
        *of_words(catalogue, reply.words, side, spoken),
        *_of_families(catalogue, reply, lowered, spoken),
    ]
    if not votes and reply.text != reply.words:
        own = _of_own_tokens(rows, reply.text, spoken)
        votes = [*own, *of_words(catalogue, reply.text, side, spoken)]
    code = _of_code(catalogue, rows, reply, own, by_microsoft=by_microsoft)
    found = (*votes, code) if code else votes
    return tuple(vote for vote in found if _may_say(vote.cause, side))


def _may_say(cause: Cause, side: Side | None) -> bool:
    """Tell whether a side decides about a cause: some only Exchange Online does."""
    return side is not Side.THEIRS or cause not in _ONLY_OURS


def _of_own_tokens(rows: CandidateRows, text: str, spoken: str) -> list[Vote]:
    """Return the rows of the very code whose own words stand there; only the first one counts in full."""
    lowered, most = folded(text), inf
    votes = []
    for row in rows.near:
        if row.pattern and (found := row.pattern.search(text, lowered)) and row.is_spoken(spoken):
            weight = min(row.weight, most)
            votes.append(Vote(row.cause, weight, Ground.CODE_AND_TEXT, row, found[0]))
            most = SECOND_TOKEN
    return votes


def _of_families(catalogue: Catalogue, reply: SmtpReply, lowered: str, spoken: str) -> Iterator[Vote]:
    for family, cause, code in catalogue.families.said(reply.text, lowered, reply.status, spoken):
        yield Vote(cause, family.weight, Ground.TEXT, None, code)


def _of_code(
    catalogue: Catalogue, rows: CandidateRows, reply: SmtpReply, own: list[Vote], *, by_microsoft: bool
) -> Vote | None:
    """Return the vote of the codes: for the meaning that their own words chose, else for the usual one."""
    usual = next(iter(rows.defaults), None)
    chosen = own[0].row if own else usual
    replies = catalogue.of_reply_code(reply.reply_code)
    sign_in = REPLY_CODES.get(reply.reply_code or "")
    if sign_in and replies and (chosen is None or chosen.is_generic):
        return Vote(replies[0].cause, sign_in, Ground.CODE, replies[0])
    if chosen:
        vote = _vote_of(chosen, by_microsoft=by_microsoft)
        if usual and usual.is_bare and chosen is not usual and not by_microsoft:
            return vote._replace(weight=min(vote.weight, GENERIC_CODE))
        return vote
    others = (
        (rows.subject, SUBJECT_CODE, Ground.GROUP),
        (replies, REPLY_CODE, Ground.REPLY_CODE),
        (rows.rest, CLASS_CODE, Ground.GROUP),
    )
    for found, weight, ground in others:
        if found:
            return Vote(found[0].cause, weight, ground, found[0], is_bare=found[0].is_bare)
    return None


def _vote_of(row: Row, *, by_microsoft: bool) -> Vote:
    """Return the vote of a code's own row. A generic one is a hint from every speaker."""
    if row.is_generic:
        is_bare = row.is_bare and not by_microsoft
        return Vote(row.cause, GENERIC_CODE, Ground.GENERIC_CODE, row, is_bare=is_bare)
    is_certain = _has_one_meaning(row)
    is_vendors = row.namespace is Namespace.MICROSOFT
    if (is_vendors and is_certain) or (by_microsoft and row.namespace is not Namespace.REGISTRY):
        return Vote(row.cause, CERTAIN_CODE, Ground.CODE, row, is_certain=is_certain)
    weight = ONE_MEANING if is_certain else CLEAR_CODE if row.reach is Reach.EXACT else RANGE_CODE
    return Vote(row.cause, weight, Ground.CODE, row, is_certain=is_certain)


def _has_one_meaning(row: Row) -> bool:
    if row.span is None or row.span.low is None:
        return False
    is_vendors = row.namespace is Namespace.MICROSOFT and row.span.low >= VENDOR_DETAIL
    return is_vendors or (row.span.subject == _SECURITY and row.span.low >= SECURITY_DETAIL)
