"""Patterns take linear time: what could take longer is refused when the file is loaded."""

import time

import pytest

from bounce_watch.classify import CatalogueError
from bounce_watch.classify.catalogue.row import compile_linear
from bounce_watch.parse.smtp_reply import MAX_TEXT, read_replies
from tests.classify.reports import CATALOGUE


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("a*", id="star"),
        pytest.param("a+b", id="plus"),
        pytest.param("a{3,}", id="open bound"),
        pytest.param("(?:a{1,3}){1,3}", id="nested repeats"),
        pytest.param("(?:a|b{0,9}){2}", id="nested in a branch"),
        pytest.param(r"(a)\1", id="back-reference"),
        pytest.param("(?=a)b", id="look-ahead"),
        pytest.param("(?<!a)b", id="look-behind"),
        pytest.param(".{0,200}a.{0,200}b", id="too many ways"),
    ],
)
def test_a_pattern_that_may_take_more_than_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(CatalogueError, match="here"):
        compile_linear([pattern], "here")


@pytest.mark.parametrize("text", ["over quota", "Mailbox is FULL", "mail  loop"])
def test_patterns_are_case_blind_alternatives(text: str) -> None:
    pattern = compile_linear(["over ?quota", "mailbox (?:is )?full", "mail {1,3}loop"], "here")
    assert pattern is not None
    assert pattern.search(text)


def test_no_patterns_give_none() -> None:
    assert compile_linear([], "here") is None


@pytest.mark.parametrize(
    "seed", ["a", "user ", "recipient address rejected: ", "domain sender spf ", "1.2.3 "]
)
def test_all_shipped_patterns_together_are_fast_on_the_longest_text(seed: str) -> None:
    """A reply is cut at MAX_TEXT; the whole catalogue needs far less than a second for it."""
    reply = read_replies(seed * (100_000 // len(seed))).whole
    assert len(reply.text) <= MAX_TEXT
    started = time.perf_counter()
    for row in CATALOGUE.rows:
        if row.pattern:
            row.pattern.search(reply.text)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("source", ["(?P<what>Quota) gone", "[A-_]uota gone"])
def test_a_pattern_that_only_compiles_as_written_still_finds(source: str) -> None:
    pattern = compile_linear([source], "here")
    assert pattern is not None
    assert pattern.search("550 QUOTA GONE")
