"""Cause and owner of a bounce in the words of our messages; the words of the program stay in `--json`."""

from collections.abc import Mapping
from typing import Any

from bounce_watch.model import Action
from bounce_watch.notifications.rendering.labels import label_of

_DONE = {Action.DELIVERED: "Delivered", Action.RELAYED: "Passed on", Action.EXPANDED: "Sent to a list"}


def cause_words(row: Mapping[str, Any]) -> str:
    """Return why a message wasn't delivered; that it is only delayed, or a receipt of success."""
    if row["action"] in _DONE:
        return _DONE[row["action"]]
    label = label_of(row["cause"]) if row["cause"] else ""
    return f"Delayed: {inside(label)}" if row["action"] == Action.DELAYED else label


def owner_words(row: Mapping[str, Any]) -> str:
    """Return who must act, nothing for a receipt of success."""
    return "" if row["action"] in _DONE or not row["owner"] else label_of(row["owner"])


def inside(label: str) -> str:
    """Return a label as it is written inside a sentence: SPF stays SPF."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
