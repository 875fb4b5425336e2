"""Which words of a report are about which address."""

import re
from itertools import groupby

from bounce_watch.parse.delivery_claims import MAX_TEXT, says_failed
from bounce_watch.parse.mentions import Mention, sentence_around
from bounce_watch.parse.plain_text import Entry
from bounce_watch.parse.smtp_reply import find_codes

_CLOSING = re.compile(r"[>\])'\"”’»]{0,3}(?:[ \t]{1,4}\([^()\n]{0,320}\)(?=:))?[ \t]{0,4}[:,;]?")
MIN_LETTERS = 4
# What follows an address without a word about it.
_FORMULA = re.compile(
    r"\W{0,80}(?:subject|date|sent|message-id|please|for more|if you|note|betreff)\b", re.IGNORECASE
)


def with_words(found: list[Mention], text: str) -> list[Entry]:
    """Return each address once, with what is said of it: behind it, below the list that it is in, or "
    "above."""
    heads = [next(run) for _, run in groupby(found, key=lambda one: one.address)]
    begins = [_start_of_head(one, text) for one in heads]
    own: dict[str, str] = {}
    for one, begin, end in zip(heads, begins, [*begins[1:], len(text)], strict=True):
        words = text[_start_of_words(one, begin, text) : end]
        behind = text[one.end : end] if one.shape else words
        if _tells_something(behind) or (words and one.shape and says_failed(one.before)):
            own[one.address] = f"{own.get(one.address, '')} {words}"
    above = text[: begins[0]]
    if any(find_codes(above)) and not any(any(find_codes(words)) for words in own.values()):
        own = dict.fromkeys((one.address for one in heads), above)
    otherwise = above if says_failed(above) else text
    entries, below = [], ""
    for one in reversed(heads):
        said = own.get(one.address, "")
        # `... for the following reason:` goes on below the next address.
        below = f"{said}{below}" if said.rstrip().endswith(":") else said or below
        entries.append(Entry(one.address, below or otherwise))
    return entries[::-1]


def _start_of_head(one: Mention, text: str) -> int:
    """Return where a mention's line begins, or its sentence when it stands within one."""
    return text.rfind("\n", 0, one.start) + 1 if one.shape is not None else sentence_around(text, one)[0]


def _start_of_words(one: Mention, start: int, text: str) -> int:
    """Return where the words about an address begin: behind it, or with its label or sentence."""
    closing = _CLOSING.match(text, one.end)
    return closing.end() if one.shape == "" and closing else start


def _tells_something(words: str) -> bool:
    """Tell whether there are words besides addresses and lines of formulas."""
    lines = (line for line in words[:MAX_TEXT].split("\n") if not _FORMULA.match(line))
    said = (word for line in lines for word in line.split() if "@" not in word)
    return sum(map(str.isalpha, "".join(said))) >= MIN_LETTERS
