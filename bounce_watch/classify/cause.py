"""Choose the row that explains a refusal: text first, code second (facts of RFC 3463 and vendor pages)."""

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.catalogue.row import Row
from bounce_watch.model import Side
from bounce_watch.parse.smtp_reply import SmtpReply
from bounce_watch.unwrap.fast_patterns import folded

MAX_QUOTE = 60
MAX_VERDICTS = 1024
"""Replies whose verdict is kept: servers refuse in the same words again and again."""


class Ground(IntEnum):
    """What a verdict rests on: smaller is firmer."""

    CODE_AND_TEXT = 1
    CODE = 2
    TEXT = 3
    GENERIC_CODE = 4
    GROUP = 5
    REPLY_CODE = 6


class Spoken(NamedTuple):
    """One server's reply. `microsoft` says whose meaning of its code counts."""

    reply: SmtpReply
    microsoft: bool


class Verdict(NamedTuple):
    """The row chosen, what it rests on, the words that matched, and the rows that lost."""

    row: Row
    ground: Ground
    phrase: str | None = None
    rivals: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Say in one sentence how the row was chosen."""
        over = f" over {', '.join(self.rivals[:3])}" if self.rivals else ""
        match self.ground:
            case Ground.CODE_AND_TEXT | Ground.TEXT:
                return f'text matched "{self.phrase}", chose {self.row.name}{over}'
            case Ground.CODE:
                return f"the code decides, chose {self.row.name}{over}"
            case Ground.GENERIC_CODE:
                return f"no telling text, chose {self.row.name}, the usual meaning of the code{over}"
            case Ground.REPLY_CODE:
                return f"only the reply code tells, chose {self.row.name}"
            case Ground.GROUP:
                return f"code not in the catalogue, chose {self.row.name}, the meaning of its group"


def decide(catalogue: Catalogue, inner: Spoken | None, outer: Spoken, side: Side | None) -> Verdict | None:
    """Return the best verdict of the inner and the outer reply, None when neither tells anything.

    The inner reply of a wrapper wins when its words or its own code are telling; otherwise the wrapper's code
    is better than a generic inner one (`550 5.7.350 ... -> 554 5.7.1 rejected` is spam, not permission).
    """
    within = _judge(catalogue, inner, side) if inner else None
    around = _judge(catalogue, outer, side)
    if within is None or around is None:
        return within or around
    firmness = Ground.CODE if within.ground is Ground.TEXT else within.ground
    return within if firmness <= around.ground else around


@lru_cache(MAX_VERDICTS)
def _judge(catalogue: Catalogue, spoken: Spoken, side: Side | None) -> Verdict | None:
    reply = spoken.reply
    plan = catalogue.plan(reply.status, spoken.microsoft, side)
    telling = _matching(plan.near, reply.words, Ground.CODE_AND_TEXT, plan.near)
    if telling:
        return telling
    defaults = plan.defaults
    if defaults and not defaults[0].is_generic:
        return _chosen(defaults[0], Ground.CODE, plan.near)
    return (
        _matching(catalogue.phrases(side), reply.words, Ground.TEXT, defaults[:1])
        or _beside(catalogue.phrases(side), reply, defaults[:1])
        or _first(defaults, Ground.GENERIC_CODE, plan.near)
        or _first(plan.subject, Ground.GROUP, ())
        or _first(catalogue.of_reply_code(reply.reply_code), Ground.REPLY_CODE, ())
        or _first(plan.rest, Ground.GROUP, ())
    )


def _beside(rows: Iterable[Row], reply: SmtpReply, rivals: Iterable[Row]) -> Verdict | None:
    """Look also at what the reporter says around the server's words."""
    return None if reply.text == reply.words else _matching(rows, reply.text, Ground.TEXT, rivals)


def _matching(rows: Iterable[Row], text: str, ground: Ground, rivals: Iterable[Row]) -> Verdict | None:
    lowered = folded(text)
    for row in rows:
        pattern = row.pattern
        if pattern is None:
            continue
        # is_possible() spelled out: a call for each row costs as much as its searches.
        for sign in pattern.signs:
            if sign in lowered:
                break
        else:
            continue
        if found := pattern.pattern.search(text):
            return _chosen(row, ground, rivals, phrase=_quote(found[0]))
    return None


def _first(rows: Iterable[Row], ground: Ground, rivals: Iterable[Row]) -> Verdict | None:
    row = next(iter(rows), None)
    return _chosen(row, ground, rivals) if row else None


def _chosen(row: Row, ground: Ground, rivals: Iterable[Row], phrase: str | None = None) -> Verdict:
    names = dict.fromkeys(rival.name for rival in rivals if rival is not row)
    return Verdict(row=row, ground=ground, phrase=phrase, rivals=tuple(names))


def _quote(words: str) -> str:
    return "".join(character for character in words if character.isprintable())[:MAX_QUOTE]
