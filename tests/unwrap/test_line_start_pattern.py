"""A pattern from line break to line break finds what `^` finds, in the same place."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounce_watch.unwrap.fast_patterns import LineStartPattern

PATTERNS = (r"[ \t]{0,8}(?:Received|To):", r"-{3,8}[ ]?Transcript[^\n]{0,9}$", r"\s{0,3}x(\d)", r"a?$")
PIECES = ("\n", " ", "\t", "Received:", "to:", "---", "Transcript", "x1", "x", "a", ":", "\r")


@pytest.mark.parametrize("pattern", PATTERNS)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=9))
def test_it_finds_what_a_search_with_a_caret_finds(pattern: str, pieces: list[str]) -> None:
    text = "".join(pieces)
    usual = re.search(f"^{pattern}", text, re.MULTILINE | re.IGNORECASE)
    found = LineStartPattern(pattern, re.IGNORECASE).search(text)
    assert (usual and (usual.span(), usual.groups())) == (found and (found.span(), found.groups()))
