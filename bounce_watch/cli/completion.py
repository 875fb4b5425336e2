"""What the shell offers after Tab: senders, domains, codes and causes that stand in the store.

A completion must be quick and must never say anything: whatever goes wrong, it offers nothing.
"""

from collections.abc import Sequence
from contextlib import suppress

import typer

MOST = 40


def complete_sender(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _labels(context, "sender", incomplete)


def complete_domain(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _labels(context, "domain", incomplete)


def complete_code(context: typer.Context, incomplete: str) -> Sequence[str]:
    return _labels(context, "code", incomplete)


def complete_cause(context: typer.Context, incomplete: str) -> Sequence[str]:
    """Offer the causes that were met; all known ones where there is no store yet."""
    from bounce_watch.model import Cause

    known = [cause.value for cause in Cause if cause.startswith(incomplete)]
    return _labels(context, "cause", incomplete) or known


def _labels(context: typer.Context, dimension: str, start: str) -> Sequence[str]:
    with suppress(Exception):
        from bounce_watch.cli.opening import asking
        from bounce_watch.store import Dimension

        with asking(context.find_root().params.get("config")) as store:
            found = store.labels(Dimension(dimension), start, MOST)
        # A shell would run what it is offered: only plain words are.
        return [label for label in found if _is_plain(label)]
    return ()


def _is_plain(label: str) -> bool:
    return label.isascii() and all(sign.isalnum() or sign in "@.-_+=" for sign in label)
