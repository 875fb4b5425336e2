"""The package keeps only a limited number of former results, and a kept result changes no verdict."""

import gc
from functools import _lru_cache_wrapper
from typing import Any

from tests.classify.reports import refused

MOST = 1024
"""Results per function that may be kept of texts from mail."""


def test_a_flood_of_different_replies_is_not_kept() -> None:
    for number in range(MOST + 200):
        refused(f"550 5.1.1 number {number} is not one of our users")
    sizes = [kept.cache_info().currsize for kept in caches()]
    assert max(sizes) == MOST


def test_a_kept_reply_is_judged_as_a_new_one() -> None:
    text = "550 5.7.1 Service unavailable, Client host [192.0.2.9] blocked using Spamhaus"
    for kept in caches():
        kept.cache_clear()
    first = refused(text)
    hits = sum(kept.cache_info().hits for kept in caches())
    assert refused(text) == first
    assert sum(kept.cache_info().hits for kept in caches()) > hits


def caches() -> "list[_lru_cache_wrapper[Any]]":
    """Return every function of the package that keeps its results."""
    kept = (one for one in gc.get_objects() if isinstance(one, _lru_cache_wrapper))
    return [one for one in kept if one.__module__.startswith("bounce_watch.")]
