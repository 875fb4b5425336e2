"""What the first line of a reply to an alert says: `ack`, `silence 8h`, `resolve`, or a note."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

_VERB = re.compile(r"\W{0,4}(ack|acknowledged?|silence|resolved?|note)\b(.*)", re.IGNORECASE)
_SPAN = re.compile(r"\s{0,4}(?:for\s{1,4})?(\d{1,3})\s{0,4}(h|hours?|d|days?)\b(.*)", re.IGNORECASE)
_SHORTEST, _LONGEST = timedelta(hours=1), timedelta(days=30)
_SIGNS = " \t.,:;!-–—\"'“”"


class Verb(Enum):
    ACKNOWLEDGE = auto()
    SILENCE = auto()
    RESOLVE = auto()
    NOTE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`text` is the note, or the reason that stands behind a verb; `span` belongs to a silence."""

    verb: Verb
    text: str = ""
    span: timedelta = timedelta(0)


def read_command(words: str) -> Command | None:
    """Return what a reply asks for; None for no text, and for a silence without a length of 1h to 30d.

    Only a bare `resolve`, or one with a sign behind it, resolves: `Resolved by whom?` is a note.
    """
    paragraph = re.split(r"\n\s*\n", words.strip(), maxsplit=1)[0]
    first = paragraph.partition("\n")[0]
    match = _VERB.fullmatch(first)
    verb, rest = (match[1].lower(), match[2]) if match else ("", "")
    if verb == "silence":
        return _silence(rest)
    if verb.startswith("ack"):
        return Command(verb=Verb.ACKNOWLEDGE, text=rest.strip(_SIGNS))
    if verb.startswith("resolve") and not rest.rstrip().endswith("?") and (rest.strip()[:1] or ".") in _SIGNS:
        return Command(verb=Verb.RESOLVE, text=rest.strip(_SIGNS))
    note = " ".join(paragraph.split())
    note = note[len(first) - len(rest) :] if verb == "note" else note
    return Command(verb=Verb.NOTE, text=note.strip(" :")) if note.strip(_SIGNS) else None


def _silence(rest: str) -> Command | None:
    found = _SPAN.fullmatch(rest)
    if found is None:
        return None
    span = timedelta(**{"hours" if found[2][0] in "hH" else "days": int(found[1])})
    is_possible = _SHORTEST <= span <= _LONGEST
    return Command(verb=Verb.SILENCE, span=span, text=found[3].strip(_SIGNS)) if is_possible else None
