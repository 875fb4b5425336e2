"""What a person wrote beside the message that they quote.

Where a quote begins, by the mail programs' own habits (read 2026-11): Outlook puts a line of underscores or
the quoted message's header lines, or `-----Original Message-----` in the user's language; all below it is the
quote. Apple Mail, Thunderbird and Gmail put a line that names date and author and ends with a colon, then
lines with `>`; Thunderbird lets people write below them.
"""

import re
from itertools import takewhile

from bounce_watch.unwrap.forwarded import begins_header_block
from bounce_watch.unwrap.mime.limits import MAX_TEXT

MAX_WORDS = 4_000
_SEPARATOR = re.compile(r"[ \t]{0,8}(?:_{10,200}|-{2,40}[ \t]?[^\W\d_][^\n]{2,60}-{2,40})[ \t]{0,8}")
_WROTE = re.compile(
    r"\b(?:wrote|schrieb|a écrit|ha scritto|escribió|escreveu|geschreven|schreef)\b", re.IGNORECASE
)
_QUOTED = re.compile(r"[ \t]{0,8}>")
MOST_LINES = 4
"""Lines over which a mail program breaks the line that names date and author."""
LONGEST = 600
LEAST_DIGITS = 5
"""Digits in a date with a time, which tell it from a person's own `at 9:30 I wrote:`."""


def own_words(text: str) -> str:
    """Return a text without the quoted message, at most 4,000 characters; empty for only a quote."""
    lines = text[:MAX_TEXT].replace("\xa0", " ").split("\n")
    kept: list[str] = []
    number = 0
    while number < len(lines) and not (
        _SEPARATOR.fullmatch(lines[number]) or begins_header_block(lines, number)
    ):
        if _QUOTED.match(lines[number]):
            number += 1
        elif length := _attribution(lines, number):
            if _QUOTED.match(_next(lines, number + length)) is None:
                break
            number += length
        else:
            kept.append(lines[number].rstrip())
            number += 1
    return "\n".join(kept).strip()[:MAX_WORDS].rstrip()


def _attribution(lines: list[str], number: int) -> int:
    """Return how many lines name date and author of the quote below; 0 if these don't."""
    for length in range(1, MOST_LINES + 1):
        rows = list(takewhile(str.strip, lines[number : number + length]))
        text = " ".join(row.strip() for row in rows)
        if len(rows) < length or len(text) > LONGEST:
            return 0
        if text[-1] in ":：" and sum(letter.isdigit() for letter in text) >= LEAST_DIGITS:
            is_quoted = _QUOTED.match(_next(lines, number + length)) is not None
            return length if is_quoted or _WROTE.search(text) else 0
    return 0


def _next(lines: list[str], number: int) -> str:
    """Return the next line with text, at most two blank ones further; "" for none."""
    return next((line for line in lines[number : number + 3] if line.strip()), "")
