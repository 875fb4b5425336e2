"""Make rows of a reply and its cause, and try them: the first that makes it right and breaks nothing wins."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

from bounce_watch.classify.catalogue.index import Catalogue
from bounce_watch.classify.learning.cases import Case, broken
from bounce_watch.classify.learning.masking import mask, phrases, without_addresses
from bounce_watch.model import Cause, Owner, Side
from bounce_watch.parse.smtp_reply import read_replies

MAX_TRIED = 6
"""Rows that are tried for one reply."""

Row = dict[str, Any]


class Lesson(NamedTuple):
    """What is taught: the cause of a reply. `words` of it decide, None to choose them.

    `provider` is a family of codes (`google`) or the name of the servers (`mx.partner.example`): the row then
    counts only where it speaks. `names` are masked in the reply.
    """

    reply: str
    cause: Cause
    owner: Owner | None = None
    side: Side | None = None
    provider: str | None = None
    spoken_by: Side | None = None
    remote_mta: str | None = None
    words: str | None = None
    names: tuple[str, ...] = ()

    @property
    def case(self) -> Case:
        """The test case that the row must pass for ever, without addresses."""
        reply = without_addresses(self.reply, *self.names)
        name = f"taught: {reply[:60]}"
        return Case(name, reply, frozenset({self.cause}), self.spoken_by, self.remote_mta, self.owner)


class Taught(NamedTuple):
    """A row that makes the reply right and breaks nothing, its words, and the catalogue with it."""

    row: Row
    words: str
    catalogue: Catalogue


class Refused(NamedTuple):
    """A lesson that cannot be taught: `broken` names the case that it would break, None if no row decides."""

    broken: str | None


def teach(
    lesson: Lesson,
    before: Catalogue,
    load: Callable[[Row], Catalogue],
    cases: Sequence[Case],
    day: date,
) -> Taught | Refused:
    """Return the first row that makes the reply right and breaks no case; `load` adds one to those before."""
    case = lesson.case
    known = (
        one for one in cases if one.reply in (case.reply, lesson.reply) and lesson.cause not in one.causes
    )
    refused = Refused(next((one.name for one in known), None))
    for words, row in islice(rows_for(lesson, day), MAX_TRIED):
        after = load(row)
        if not case.is_right(after):
            continue
        if first := next(broken(cases, before, after), None):
            refused = Refused(first.name)
            continue
        return Taught(row, words, after)
    return refused


def rows_for(lesson: Lesson, day: date) -> Iterator[tuple[str, Row]]:
    """Yield rows that could teach a lesson: for its most telling words, alone and with the reply's status."""
    masked = mask(lesson.reply, *lesson.names)
    replies = read_replies(lesson.reply)
    status = (replies.inner or replies.outer).status
    for phrase in [lesson.words] if lesson.words else phrases(masked):
        yield phrase, _row(lesson, phrase, None, day)
        if status:
            yield phrase, _row(lesson, phrase, status, day)


def _row(lesson: Lesson, phrase: str, code: str | None, day: date) -> Row:
    row: Row = {
        "code": code,
        "variant": f"taught-{_slug(phrase)}",
        "match": [_pattern(phrase)],
        "title": f"Taught here: {phrase[:60]}",
        "meaning": f"Your admins taught on {day:%Y-%m-%d} what these words mean.",
        "cause": lesson.cause.value,
        "owner": lesson.owner.value if lesson.owner else None,
        "side": lesson.side.value if lesson.side else None,
        "provider": lesson.provider,
        "weight": "sure",
        "checked": day,
        "confidence": "observed",
    }
    return {key: value for key, value in row.items() if value is not None}


def _pattern(phrase: str) -> str:
    """Return a pattern for these words that stands between others, not inside one."""
    start, end = (r"\b" if edge.isascii() and edge.isalnum() else "" for edge in (phrase[0], phrase[-1]))
    return f"{start}{re.escape(phrase)}{end}".replace("\\ ", " ")


def _slug(phrase: str) -> str:
    """Return a name for a phrase that no other has."""
    words = re.findall(r"[a-z0-9]+", phrase.lower())[:4]
    return "-".join([*words, sha256(phrase.lower().encode(errors="surrogateescape")).hexdigest()[:4]])
