"""Choose the catalogue row that explains a refusal, by its text first and by its code second."""

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.catalogue.row import Row
from bounce_watch.model import Certainty, Side
from bounce_watch.parse.smtp_reply import SmtpReply
from bounce_watch.unwrap.fast_patterns import folded

MAX_QUOTE = 60
MAX_CACHED = 1024
"""Replies whose verdict is kept, because servers repeat the same words."""


class Ground(IntEnum):
    """What a verdict rests on: smaller is more certain."""

    CODE_AND_TEXT = 1
    CODE = 2
    TEXT = 3
    GENERIC_CODE = 4
    GROUP = 5
    REPLY_CODE = 6


class ServerReply(NamedTuple):
    """A reply, and whether a server of Microsoft wrote it, whose meaning of the code then counts."""

    reply: SmtpReply
    by_microsoft: bool


class Verdict(NamedTuple):
    """The chosen row, what the choice rests on, the phrase that matched, and the names of the other rows."""

    row: Row
    ground: Ground
    phrase: str | None = None
    rivals: tuple[str, ...] = ()

    @property
    def certainty(self) -> Certainty:
        if self.ground <= Ground.TEXT:
            return Certainty.TOLD
        return Certainty.LIKELY if self.ground is Ground.GENERIC_CODE else Certainty.NOT_TOLD

    @property
    def why(self) -> str:
        """One sentence that says how the row was chosen."""
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


def decide(
    catalogue: Catalogue, inner: ServerReply | None, outer: ServerReply, side: Side | None
) -> Verdict | None:
    """Return the better verdict of the inner and the outer reply, None if neither gives one.

    The inner reply wins if its words or its own code decide. Otherwise the wrapper's code is better than a
    generic inner code (`550 5.7.350 ... -> 554 5.7.1 rejected` is spam, not permission).
    """
    within = _find_verdict(catalogue, inner, side) if inner else None
    around = _find_verdict(catalogue, outer, side)
    if within is None or around is None:
        return within or around
    certainty = Ground.CODE if within.ground is Ground.TEXT else within.ground
    return within if certainty <= around.ground else around


@lru_cache(MAX_CACHED)
def _find_verdict(catalogue: Catalogue, server: ServerReply, side: Side | None) -> Verdict | None:
    reply = server.reply
    rows = catalogue.candidates(reply.status, server.by_microsoft, side)
    if matching := _matching(rows.near, reply.words, Ground.CODE_AND_TEXT, rows.near):
        return matching
    defaults = rows.defaults
    if defaults and not defaults[0].is_generic:
        return _chosen(defaults[0], Ground.CODE, rows.near)
    return (
        _matching(catalogue.phrases(side), reply.words, Ground.TEXT, defaults[:1])
        or _matching_around(catalogue.phrases(side), reply, defaults[:1])
        or _first(defaults, Ground.GENERIC_CODE, rows.near)
        or _first(rows.subject, Ground.GROUP, ())
        or _first(catalogue.of_reply_code(reply.reply_code), Ground.REPLY_CODE, ())
        or _first(rows.rest, Ground.GROUP, ())
    )


def _matching_around(rows: Iterable[Row], reply: SmtpReply, rivals: Iterable[Row]) -> Verdict | None:
    """Search also what the reporter says around the server's words."""
    return None if reply.text == reply.words else _matching(rows, reply.text, Ground.TEXT, rivals)


def _matching(rows: Iterable[Row], text: str, ground: Ground, rivals: Iterable[Row]) -> Verdict | None:
    lowered = folded(text)
    for row in rows:
        pattern = row.pattern
        if pattern is None:
            continue
        # is_possible() written out, because a call for each row costs as much as its searches.
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
