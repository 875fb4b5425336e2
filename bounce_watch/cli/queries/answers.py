"""`answers`: what came of our replies to senders, by cause or language."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.filters import AsCsv, AsJson, read_word
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Column, emit, form_of
from bounce_watch.cli.common.when import read_moment
from bounce_watch.config.load import load_config
from bounce_watch.model.letter_outcome import LEAST_LETTERS, OutcomeCount
from bounce_watch.store.queries.letters import LettersBy


def answers(
    context: typer.Context,
    by: Annotated[str, typer.Option("--by", help="cause or language.")] = "cause",
    since: Annotated[str, typer.Option("--since", help="Only replies sent since: 90d, 2026-11-01.")] = "90d",
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Count what came of replies to senders.

    Again: the same bounce within 14 days. Asked: the sender wrote back. Quiet: neither, which proves nothing.
    Open: 14 days aren't over. The 95% interval of again and asked is shown from 20 decided replies on.
    """
    value, now = read_word(LettersBy, by, "--by"), datetime.now(UTC)
    begin = read_moment(since, now) or now
    accepted = load_config(context.obj).site.accepted_evidence
    with read_store(context.obj) as store:
        counts = store.letters.outcomes(value, begin, now, now, accepted)
    columns = [
        Column(by, by.capitalize(), flexible=True),
        *(
            Column(name, name.capitalize(), right=True)
            for name in ("replies", "again", "asked", "quiet", "open")
        ),
        Column("low", "Didn't help\n95% interval", show=_interval, right=True),
    ]
    rows = (_row(by, one) for one in counts)
    emit(rows, columns, form_of(as_json, as_csv), empty="No replies were sent in this time.")


def _row(by: str, one: OutcomeCount) -> dict[str, Any]:
    low, high = one.interval or (None, None)
    return {
        by: one.label or "unknown",
        "replies": one.decided + one.open,
        "again": one.again,
        "asked": one.asked,
        "quiet": one.quiet,
        "open": one.open,
        "low": None if low is None else round(low, 3),
        "high": None if high is None else round(high, 3),
    }


def _interval(row: Mapping[str, Any]) -> str:
    if row["low"] is None:
        return f"below {LEAST_LETTERS}"
    return f"{row['low']:.0%} to {row['high']:.0%}"
