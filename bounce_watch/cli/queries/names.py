"""Find the address or domain that is meant by a part of it, or by a misspelled one."""

import re
from typing import NoReturn

import typer
from rapidfuzz import fuzz, process

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.output import say
from bounce_watch.store import By, Store

_MOST_LABELS = 100_000
_LISTED = 20
_SIMILAR = 90
"""From 0 to 100, rapidfuzz.fuzz.ratio."""


def known_name(store: Store, by: By, text: str) -> str:
    """Return the only known name with this text in it, else the text itself; exit if there are several.

    Names of which a part begins with the text come before others.
    """
    key = text.strip().lower()
    labels = store.history.labels(by, "", _MOST_LABELS)
    begun = re.compile(rf"(?:^|[.@_+-]){re.escape(key)}")
    found = [key] if key in labels else [label for label in labels if begun.search(label)]
    found = found or [label for label in labels if key in label]
    if len(found) > 1:
        _ask_which(text, found)
    return found[0] if found else text


def similar_names(store: Store, by: By, text: str) -> list[str]:
    """Return known names that are spelled nearly like this one, the nearest first."""
    key, labels = text.strip().lower(), store.history.labels(by, "", _MOST_LABELS)
    others = [label for label in labels if label != key]
    near = process.extract(key, others, scorer=fuzz.ratio, limit=3, score_cutoff=_SIMILAR)
    return [str(label) for label, _, _ in near]


def did_you_mean(names: list[str]) -> str:
    return f" Did you mean {' or '.join(names)}?" if names else ""


def _ask_which(text: str, found: list[str]) -> NoReturn:
    say(f"Several match {text!r}; which one?")
    for label in found[:_LISTED]:
        say(f"  {label}")
    if len(found) > _LISTED:
        say(f"{len(found) - _LISTED} more; type more of the name.")
    raise typer.Exit(Exit.FAILED)
