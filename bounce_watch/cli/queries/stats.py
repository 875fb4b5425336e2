"""`stats`: figures of the whole store, or of what a filter finds."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import typer
from rich.table import Table

from bounce_watch.cli.common.charts import bar
from bounce_watch.cli.common.filters import AsJson, filtered
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Column, Form, console, emit, emit_json, local
from bounce_watch.notifications.rendering.labels import label_of
from bounce_watch.notifications.rendering.safe_text import for_terminal
from bounce_watch.store import By, HistoryFilter, Stats, Store

_ROWS = 5
"""Maximum number of values shown of each kind."""
_TITLES = {
    By.OWNER: "Owners",
    By.CAUSE: "Causes",
    By.CODE: "Codes",
    By.SENDER: "Senders",
    By.DOMAIN: "Recipient domains",
}


@filtered()
def stats(context: typer.Context, *, chosen: HistoryFilter, as_json: AsJson = False) -> None:
    """Show what failed and who must act.

    Without a filter also what was done about it.
    """
    with read_store(context.obj) as store:
        figures = _figures(store, chosen)
        whole = store.summary.stats() if chosen == HistoryFilter() else None
    if as_json:
        emit_json({**figures, **({"store": asdict(whole)} if whole else {})})
    else:
        _print(figures, whole)


def _figures(store: Store, chosen: HistoryFilter) -> dict[str, Any]:
    """Return the number of bounces, and the number of mails by each value, most first."""
    found: dict[str, Any] = {"bounces": store.history.count(chosen)}
    for by in _TITLES:
        found[by.value] = {count.label: count.now for count in store.history.top(by, chosen, _ROWS)}
    return found


def _print(figures: Mapping[str, Any], whole: Stats | None) -> None:
    """Print what failed; below it, for the whole store, what came in and what was written."""
    if not figures["bounces"]:
        sys.stdout.write("No bounces found.\n")
    for by, title in _TITLES.items():
        _print_counts(title, figures[by.value], has_labels=by in (By.OWNER, By.CAUSE))
    table = Table.grid(padding=(0, 2))
    for label, text in _store_lines(whole) if whole else [("Recipients", str(figures["bounces"]))]:
        table.add_row(label, for_terminal(text))
    console().print(table)


def _print_counts(title: str, counts: Mapping[str, int], *, has_labels: bool) -> None:
    most = max(counts.values(), default=0)
    rows = [
        {"label": label_of(label) if has_labels else label, "mails": count} for label, count in counts.items()
    ]
    columns = [
        Column("mails", "Mails", right=True),
        Column("label", title, flexible=True, truncate=True),
        Column("bar", "", show=lambda row: f"{bar(row['mails'], most, 20):<20}", style="cyan"),
    ]
    if rows:
        emit(rows, columns, Form.TABLE)


def _store_lines(whole: Stats) -> list[tuple[str, str]]:
    copies = f", {whole.duplicates} of them copies" if whole.duplicates else ""
    pairs = [
        ("Messages read", f"{sum(whole.messages.values())} ({_listed(whole.messages)})"),
        ("Reports", f"{whole.reports}{copies}"),
        ("Recipients", f"{whole.bounces}, from {local(whole.first_bounce_at)} on" if whole.bounces else "0"),
        ("Incidents open", str(whole.incidents_open)),
        ("Mails written", _listed(whole.mails) or "none"),
        ("Of these", _listed(whole.outbox)),
        ("Not written", _listed({label_of(word).lower(): count for word, count in whole.withheld.items()})),
        ("In quarantine", str(whole.quarantined) if whole.quarantined else ""),
        ("Last look", local(whole.last_success_fetch_at)),
    ]
    return [(label, text) for label, text in pairs if text]


def _listed(counts: Mapping[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {word}" for word, count in ranked)
