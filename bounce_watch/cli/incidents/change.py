"""`incidents ack`, `silence`, `note`, `resolve`, `allclear`: each adds a line to the incident's history."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import change_store, read_store
from bounce_watch.cli.common.output import Column, emit, form_of, local, say
from bounce_watch.cli.common.when import account, read_later
from bounce_watch.cli.incidents import Number, read_number
from bounce_watch.config.load import load_config
from bounce_watch.model import Incident
from bounce_watch.pipeline import open_context
from bounce_watch.pipeline.incidents.all_clear import affected_by, close_incident, notify_colleagues
from bounce_watch.store import Transaction

commands = typer.Typer()
By = Annotated[str | None, typer.Option("--by", help="Who you are (default: your account's name).")]
Why = Annotated[str, typer.Option("--why", help="One line for the history.")]


def _change(context: typer.Context, change: Callable[[Transaction], Incident]) -> Incident:
    with change_store(context.obj) as store, store.transaction() as tx:
        return change(tx)


def _say(incident: Incident, what: str) -> None:
    say(f"{incident.name} {what}: {incident.finding.title} ({incident.finding.key})")


@commands.command("ack")
def acknowledge(context: typer.Context, number: Number, by: By = None, why: Why = "") -> None:
    """Say that you are on it: the daily reminders end."""
    which, who, now = read_number(number), (by or account())[:80], datetime.now(UTC)
    incident = _change(context, lambda tx: tx.incidents.acknowledge(which, now, by=who, note=why))
    _say(incident, f"is acknowledged by {incident.acknowledged_by}")


@commands.command("silence")
def silence(
    context: typer.Context,
    number: Number,
    until: Annotated[str, typer.Option("--until", help="8h, 7d or 2026-12-01; `now` ends a silence.")],
    by: By = None,
    why: Why = "",
) -> None:
    """Silence an incident until then; it stays in the list and the digest."""
    which, who, now = read_number(number), (by or account())[:80], datetime.now(UTC)
    end = now if until == "now" else read_later(until, now)
    incident = _change(context, lambda tx: tx.incidents.silence(which, end, now, by=who, why=why))
    _say(incident, f"is silent until {local(end)}" if end > now else "is no longer silent")


@commands.command("note")
def note(context: typer.Context, number: Number, text: str, by: By = None) -> None:
    """Add a line to the history of an incident."""
    if not text.strip():
        raise typer.BadParameter("the note is empty", param_hint="TEXT")
    which, who, now = read_number(number), (by or account())[:80], datetime.now(UTC)
    _say(_change(context, lambda tx: tx.incidents.note(which, text, now, by=who)), "has your note")


@commands.command("resolve")
def resolve(context: typer.Context, number: Number, by: By = None, why: Why = "") -> None:
    """Close an incident; the admins get the all-clear. It opens again if the same happens soon."""
    with change_store(context.obj) as store:
        work = open_context(load_config(context.obj), store)
        incident = close_incident(work, read_number(number), by=(by or account())[:80], why=why)
    _say(incident, "is resolved")


@commands.command("allclear")
def all_clear(
    context: typer.Context,
    number: Number,
    tell: Annotated[bool, typer.Option("--tell", help="Queue a notice to each of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """List who may send again after an incident, with their own mails; tell them with --tell."""
    which = read_number(number)
    if tell:
        _tell(context, which)
        return
    with read_store(context.obj) as store:
        rows: list[dict[str, Any]] = [
            {"sender": one.sender, "mails": len(one.mails), "recipients": [m.recipient for m in one.mails]}
            for one in affected_by(store.incidents.show(which))
        ]
    columns = [
        Column("sender", "Sender"),
        Column("mails", "Mails", right=True),
        Column("recipients", "To", show=lambda row: ", ".join(row["recipients"][:5]), flexible=True),
    ]
    emit(rows, columns, form_of(as_json), empty="No senders of our organization are in it.")


def _tell(context: typer.Context, number: int) -> None:
    with change_store(context.obj) as store:
        work = open_context(load_config(context.obj), store)
        try:
            done = notify_colleagues(work, number)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    say(f"{done.queued} notices are in the outbox, {done.withheld} were withheld (see the digest for why).")
    if done.left:
        say(f"{done.left} wait so that replies to others are not stopped: run the same again in a minute.")
