"""`stats`: the whole store, or what a filter finds, in one look.

Figures as a person reads them."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from bounce_watch.cli.common.charts import bar
from bounce_watch.cli.common.filters import (
    AsJson,
    CauseName,
    Code,
    Domain,
    IncidentNumber,
    OwnerName,
    Recipient,
    Sender,
    SideName,
    Since,
    Subject,
    Text,
    Until,
    chosen_by,
)
from bounce_watch.cli.common.output import Column, Form, emit, local
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

    from bounce_watch.cli.common.output import console

    table = Table.grid(padding=(0, 2))
    for label, text in pairs:
        table.add_row(label, for_terminal(text))
    console().print(table)


if TYPE_CHECKING:
    from bounce_watch.store import HistoryFilter, Stats, Store

FIRST = 5


def register(app: typer.Typer) -> None:
    app.command()(stats)


def stats(
    context: typer.Context,
    sender: Sender = None,
    recipient: Recipient = None,
    domain: Domain = None,
    code: Code = None,
    cause: CauseName = None,
    owner: OwnerName = None,
    side: SideName = None,
    incident: IncidentNumber = None,
    since: Since = None,
    until: Until = None,
    text: Text = None,
    subject: Subject = None,
    as_json: AsJson = False,
) -> None:
    """Show in one look what failed, who must act, and without a filter what was done about it."""
    from bounce_watch.cli.common.open_store import asking
    from bounce_watch.cli.common.output import emit_json
    from bounce_watch.store import HistoryFilter

    chosen = chosen_by(
        sender=sender, recipient=recipient, domain=domain, code=code, cause=cause, owner=owner, side=side,
        incident=incident, since=since, until=until, text=text, subject=subject,
    )  # fmt: skip
    with asking(context.obj) as store:
        figures = figures_of(store, chosen)
        whole = store.summary.stats() if chosen == HistoryFilter() else None
    if as_json:
        emit_json({**figures, **(_whole_json(whole) if whole else {})})
    else:
        print_stats(figures, whole)


def figures_of(store: "Store", chosen: "HistoryFilter") -> dict[str, Any]:
    """Return what a filter finds: recipients and, most first, mails by each value."""
    from bounce_watch.store import By

    found: dict[str, Any] = {"bounces": store.history.count(chosen)}
    for by in (By.OWNER, By.CAUSE, By.CODE, By.SENDER, By.DOMAIN):
        found[by.value] = {count.label: count.now for count in store.history.top(by, chosen, FIRST)}
    return found


def _whole_json(whole: "Stats") -> dict[str, Any]:
    from dataclasses import asdict

    return {"store": asdict(whole)}
