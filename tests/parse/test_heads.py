"""Heads of entries are found line by line, exactly where the bare pattern finds them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bounce_watch.parse.formats import address_colon, address_line, labelled_address
from bounce_watch.parse.plain_text import heads_in

PIECES = ("lee@a.example", "<mei@b.example>", ":", "\n", " ", "To", "Unknown user: ", "@", "x", "- ", "...")


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_no_head_is_missed_by_trying_only_lines_with_an_address(pieces: list[str]) -> None:
    text = "".join(pieces)
    for form in (address_colon, address_line, labelled_address):
        pattern: re.Pattern[str] = form._HEAD
        wanted = [found.span() for found in pattern.finditer(text)]
        assert [found.span() for found in heads_in(text, pattern)] == wanted
