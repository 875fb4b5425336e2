"""Heads of entries are found line by line, exactly where the bare pattern finds them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bounce_watch.parse.formats import address_colon, address_line, labelled_address
from bounce_watch.parse.plain_text import ADDRESS, heads_in

# What each format takes for the head of an entry, and the patterns of its other lines that name an address.
PATTERNS = [
    value
    for form in (address_colon, address_line, labelled_address)
    for value in vars(form).values()
    if isinstance(value, re.Pattern) and ADDRESS in value.pattern
]
PIECES = ("lee@a.example", "<mei@b.example>", ":", "\n", " ", "To", "Unknown user: ", "@", "x", "- ", "...")


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_no_head_is_missed_by_trying_only_lines_with_an_address(pieces: list[str]) -> None:
    text = "".join(pieces)
    for pattern in PATTERNS:
        wanted = [found.span() for found in pattern.finditer(text)]
        assert [found.span() for found in heads_in(text, pattern)] == wanted
