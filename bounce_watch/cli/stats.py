"""`stats`: the whole store, or what a filter finds, in one look."""

from typing import TYPE_CHECKING, Any

import typer

from bounce_watch.cli.choosing import (
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
    from bounce_watch.cli.opening import asking
    from bounce_watch.cli.output import emit_json
    from bounce_watch.cli.stats_text import print_stats
    from bounce_watch.store import HistoryFilter

    chosen = chosen_by(
        sender=sender, recipient=recipient, domain=domain, code=code, cause=cause, owner=owner, side=side,
        incident=incident, since=since, until=until, text=text, subject=subject,
    )  # fmt: skip
    with asking(context.obj) as store:
        figures = figures_of(store, chosen)
        whole = store.stats() if chosen == HistoryFilter() else None
    if as_json:
        emit_json({**figures, **(_whole_json(whole) if whole else {})})
    else:
        print_stats(figures, whole)


def figures_of(store: "Store", chosen: "HistoryFilter") -> dict[str, Any]:
    """Return what a filter finds: recipients and, most first, mails by each value."""
    from bounce_watch.store import By

    found: dict[str, Any] = {"bounces": store.count(chosen)}
    for by in (By.OWNER, By.CAUSE, By.CODE, By.SENDER, By.DOMAIN):
        found[by.value] = {count.label: count.now for count in store.top(by, chosen, FIRST)}
    return found


def _whole_json(whole: "Stats") -> dict[str, Any]:
    from dataclasses import asdict

    return {"store": asdict(whole)}
