"""Figures as a person reads them."""

import sys
from collections.abc import Mapping
from typing import Any

from bounce_watch.cli.drawing import bar
from bounce_watch.cli.output import Column, Form, emit, local
from bounce_watch.notifications.rendering.labels import label_of
from bounce_watch.notifications.rendering.safe_text import for_terminal
from bounce_watch.store import Stats

_TITLES = {
    "owner": "Who must act",
    "cause": "Causes",
    "code": "Codes",
    "sender": "Senders",
    "domain": "Recipient domains",
}


def print_stats(figures: Mapping[str, Any], whole: Stats | None) -> None:
    """Print what failed; below it, for the whole store, what came in and what was written."""
    if not figures["bounces"]:
        sys.stdout.write("No bounces found.\n")
    for name, title in _TITLES.items():
        _counts(title, figures[name], plain=name in ("owner", "cause"))
    if whole:
        _pairs(_store_lines(whole))
    else:
        _pairs([("Recipients", str(figures["bounces"]))])


def _counts(title: str, counts: Mapping[str, int], *, plain: bool) -> None:
    most = max(counts.values(), default=0)
    rows = [{"label": label_of(label) if plain else label, "mails": count} for label, count in counts.items()]
    columns = [
        Column(key="mails", title="Mails", right=True),
        Column(key="label", title=title, gives_way=True, cut=True),
        Column(key="bar", title="", show=lambda row: f"{bar(row['mails'], most, 20):<20}", style="cyan"),
    ]
    if rows:
        emit(rows, columns, Form.TABLE)


def _store_lines(whole: Stats) -> list[tuple[str, str]]:
    copies = f", {whole.duplicates} of them copies" if whole.duplicates else ""
    pairs = [
        ("Mails read", f"{sum(whole.messages.values())} ({_by(whole.messages)})"),
        ("Reports", f"{whole.reports}{copies}"),
        ("Recipients", f"{whole.bounces}, from {local(whole.first_bounce_at)} on" if whole.bounces else "0"),
        ("Incidents open", str(whole.incidents_open)),
        ("Mails written", _by(whole.mails) or "none"),
        ("Of these", _by(whole.outbox)),
        ("Not written", _by({label_of(word).lower(): count for word, count in whole.withheld.items()})),
        ("In quarantine", str(whole.quarantined) if whole.quarantined else ""),
        ("Last look", local(whole.last_success_fetch_at)),
    ]
    return [(label, text) for label, text in pairs if text]


def _by(counts: Mapping[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {word}" for word, count in ranked)


def _pairs(pairs: list[tuple[str, str]]) -> None:
    from rich.table import Table

    from bounce_watch.cli.output import console

    table = Table.grid(padding=(0, 2))
    for label, text in pairs:
        table.add_row(label, for_terminal(text))
    console().print(table)
