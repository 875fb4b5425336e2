"""A gated pattern finds what the bare pattern finds; its plain searches only spare it work."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounce_watch.unwrap.fast_patterns import KeywordGuardedPattern, folded

PATTERNS = (
    r"too many (?:hops|redirects)",
    r"\b(?:helo|ehlo)\b.{0,40}(?:reject|bad)",
    r"user(?: is)? {1,3}unknown|no such user",
    r"(?:mail|routing) loop|見つかりません",
    r"a{0,3}|never",
    r"(?:ab){2,3}c?|x[yz]w",
    r"(?=sky)s\w{1,4}|Größe",
)
PIECES = (
    *("too many ", "hops", "HELO", " bad", "user", " is", "  ", "unknown", "no such ", "mail", " loop"),
    *("見つかりません", "a", "ab", "abab", "xyw", "sky", "ſky", "\u212aelvin", "İs", "GRÖSSE", "größe", "\n"),
)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=8))
def test_the_gate_never_hides_a_match(pattern: str, pieces: list[str]) -> None:
    """Letters beyond ASCII that a case-blind pattern takes for ASCII ones are no way around it."""
    text = "".join(pieces)
    behind = KeywordGuardedPattern(pattern, re.IGNORECASE)
    bare, found = behind.pattern.search(text), behind.search(text)
    assert (bare and bare.span()) == (found and found.span())


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        pytest.param("User(?: un)known", ("user unknown",), id="a group is opened"),
        pytest.param("spf|dkim", ("dkim", "spf"), id="one of each branch"),
        pytest.param("x?y{0,2}", (), id="nothing is needed"),
        pytest.param("(?:one|two) of many{1,2}", (" of man",), id="the longest run"),
        pytest.param("unknown user|unknown user here", ("unknown user",), id="the shorter covers the longer"),
    ],
)
def test_the_words_are_those_a_match_needs(pattern: str, words: tuple[str, ...]) -> None:
    assert tuple(sorted(KeywordGuardedPattern(pattern, re.IGNORECASE).words)) == words


def test_a_text_without_the_words_is_told_apart() -> None:
    behind = KeywordGuardedPattern("mailbox (?:is )?full", re.IGNORECASE)
    assert behind.is_possible(folded("Your MAILBOX is full"))
    assert not behind.is_possible(folded("Over quota"))
