"""Explain a code or a pasted reply: what it means, who must act, what to do."""

import re
from dataclasses import dataclass, replace
from datetime import date

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.catalogue.row import Confidence, Reach, Row
from bounce_watch.classify.cause import Score, ServerReply, Verdict, decide
from bounce_watch.classify.judge import persistence_of
from bounce_watch.classify.side import is_exchange_reply
from bounce_watch.model import Cause, Certainty, Owner, Persistence, Side
from bounce_watch.parse.smtp_reply import SmtpReply, read_replies, read_reply

_BARE = re.compile(r"(?:[245]\d\d[ -])?[245]\.\d{1,3}\.\d{1,3}|[245]\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaks:
    """What speaks for one cause: its points, and the votes in words, the heaviest first."""

    cause: Cause
    points: float
    votes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One meaning of a code or a reply.

    `owner_ours` must act if our own servers refused; it equals `owner` if the side makes no difference.
    `reply_code`, `status` and `as_number` are those of the explained text. The chosen meaning of a reply has
    a `certainty`, and in `speaks` what speaks for each cause, the highest first.
    """

    name: str
    code: str | None
    variant: str | None
    title: str
    meaning: str
    cause: Cause
    owner: Owner
    owner_ours: Owner
    persistence: Persistence
    side: Side | None
    sender_steps: tuple[str, ...]
    admin_steps: tuple[str, ...]
    playbook: str | None
    source: str
    checked: date
    confidence: Confidence
    why: str
    reply_code: str | None = None
    status: str | None = None
    as_number: str | None = None
    certainty: Certainty | None = None
    speaks: tuple[Speaks, ...] = ()


def explain(catalogue: Catalogue, code_or_reply: str) -> tuple[Explanation, ...]:
    """Return the meanings of `5.7.23`, `550` or a whole reply, the likeliest first.

    A bare code gives all its variants, the default first. A reply gives the variant that its text chooses,
    then the others of the same code. Codes are read as Exchange Online reports them.
    """
    asked = code_or_reply.strip()
    if _BARE.fullmatch(asked):
        reply = read_reply(asked)
        return tuple(_explanation(row, _why_of(row), reply, None) for row in _meanings(catalogue, reply))
    return _explain_reply(catalogue, asked)


def _explain_reply(catalogue: Catalogue, text: str) -> tuple[Explanation, ...]:
    replies = read_replies(text)
    outer, refusal = replies.whole, replies.inner
    inner = ServerReply(reply=refusal, by_microsoft=is_exchange_reply(refusal.text)) if refusal else None
    side = Side.THEIRS if inner else None
    verdict = decide(catalogue, inner, ServerReply(reply=outer, by_microsoft=True), side)
    if verdict is None:
        return ()
    others = (row for row in _meanings(catalogue, outer) if row is not verdict.row)
    first = replace(
        _explanation(verdict.row, verdict.why, outer, side),
        certainty=verdict.certainty,
        speaks=tuple(map(_speaks, verdict.scores)),
    )
    if not _has_other_meanings(verdict, outer):
        return (first,)
    why = f"another meaning of {outer.status or outer.reply_code}"
    return (first, *(_explanation(row, why, outer, side) for row in others))


def _speaks(score: Score) -> Speaks:
    votes = sorted(score.votes, key=lambda vote: -vote.weight)
    told = tuple(dict.fromkeys(vote.told for vote in votes))
    return Speaks(cause=score.cause, points=round(score.points, 1), votes=told)


def _has_other_meanings(verdict: Verdict, reply: SmtpReply) -> bool:
    """Tell whether other meanings are worth showing: not if a phrase without a code decided."""
    return verdict.row.code is not None or reply.status is not None


def _meanings(catalogue: Catalogue, reply: SmtpReply) -> list[Row]:
    """Return the rows of a code, defaults first; the meaning of its class only if no row is closer."""
    rows = catalogue.of_status(reply.status)
    for reach in (Reach.EXACT, Reach.RANGE):
        near = [row for row in rows if row.span and row.span.reach is reach]
        if near:
            defaults = [row for row in catalogue.defaults_of(reply.status, microsoft=True) if row in near]
            return defaults + [row for row in near if row not in defaults]
    if rows:
        return list(rows[:1])
    return list(catalogue.of_reply_code(reply.reply_code))


def _why_of(row: Row) -> str:
    if row.is_default:
        return "the usual meaning of the code"
    return "when the text or the side says so"


def _persistence(row: Row, reply: SmtpReply) -> Persistence:
    if row.persistence is not Persistence.UNKNOWN:
        return row.persistence
    return persistence_of(None, reply.reply_code, reply.status)


def _explanation(row: Row, why: str, reply: SmtpReply, side: Side | None) -> Explanation:
    return Explanation(
        name=row.name,
        code=row.code,
        variant=row.variant,
        title=row.title,
        meaning=row.meaning,
        cause=row.cause,
        owner=row.owner_on(side),
        owner_ours=row.owner_on(Side.OURS),
        persistence=_persistence(row, reply),
        side=row.side or side,
        sender_steps=row.sender_steps,
        admin_steps=row.admin_steps,
        playbook=row.playbook,
        source=row.source,
        checked=row.checked,
        confidence=row.confidence,
        why=why,
        reply_code=reply.reply_code,
        status=reply.status,
        as_number=reply.as_number,
    )
