"""Sizes in a refusal: how large the mail was and how large it may be, in bytes."""

import re

_SIZE = re.compile(
    r"(?<![\w.,@/-])(\d{1,12})(?:[.,](\d{1,3}))? ?(bytes?|octets|[kmg]i?b|[kmg](?=\b))?(?![\w@-]|\.\d)",
    re.IGNORECASE,
)
_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3}
_LIMIT_WORDS = re.compile(r"limit|max|exceed|than|allow|permit|up to|>", re.IGNORECASE)
_LEAST_PLAIN = 10_000
"""A number without a unit below this is a code or a count, no size."""
_MOST = 1024**4
_NEAR = 40


def sizes_in(words: str) -> tuple[int | None, int | None]:
    """Return the limit and the size of the mail in bytes, None for what the text does not say.

    The mail was refused for its size: of two numbers the smaller is the limit.
    """
    found = [(match.start(), size) for match in _SIZE.finditer(words) if (size := _bytes_of(match))]
    sizes = sorted({size for _, size in found})
    if len(sizes) > 1:
        return sizes[0], sizes[-1]
    if not sizes:
        return None, None
    before = (words[max(place - _NEAR, 0) : place] for place, _ in found)
    return (sizes[0], None) if any(map(_LIMIT_WORDS.search, before)) else (None, sizes[0])


def _bytes_of(match: re.Match[str]) -> int | None:
    whole, fraction, unit = match[1], match[2], (match[3] or "").lower()
    if unit and unit[0] in _UNITS:
        size = int(float(f"{whole}.{fraction or 0}") * _UNITS[unit[0]])
    else:
        size = int(whole) if fraction is None else 0
    return size if (size >= _LEAST_PLAIN or (unit and size)) and size < _MOST else None
