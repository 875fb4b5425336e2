"""`quarantine`: messages that could not be read, kept with their bytes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import read_store, run_context
from bounce_watch.cli.common.output import (
    Column,
    emit,
    emit_json,
    form_of,
    local,
    picked,
    print_lines,
    say,
    two_lines,
)
from bounce_watch.cli.common.pages import write_new_file
from bounce_watch.config.load import load_config
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline import ingest_messages
from bounce_watch.sandbox.outcome import Overrun
from bounce_watch.source.interface import Message
from bounce_watch.store import QuarantineEntry

Number = Annotated[int, typer.Argument(metavar="ID", help="The id that `quarantine list` shows.")]

_KEYS = "id at reason size sha256 attempts mailbox uid received_at"

quarantine = typer.Typer(help="List unreadable messages, and read them again.", invoke_without_command=True)


@quarantine.callback()
def _list_by_default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_quarantine(context)


@quarantine.command("list")
def list_quarantine(context: typer.Context, as_json: AsJson = False) -> None:
    """List quarantined mails, newest first."""
    with read_store(context.obj) as store:
        found = store.quarantine.list()
    columns = [
        Column("id", "Id", right=True),
        Column("at", "Since", show=lambda row: two_lines(row["at"])),
        Column("size", "Bytes", right=True),
        Column("reason", "Why"),
        Column("uid", "Where", show=lambda row: f"{row['mailbox']} {row['uid']}"),
    ]
    emit(map(_entry_json, found), columns, form_of(as_json), empty="The quarantine is empty.")


def _entry_json(entry: QuarantineEntry) -> dict[str, Any]:
    return picked(entry, _KEYS)


@quarantine.command("show")
def show_quarantined(
    context: typer.Context,
    number: Number,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the bytes to a file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show why a mail could not be read, and its beginning; or write its bytes to a file."""
    with read_store(context.obj) as store:
        entry, content = store.quarantine.show(number)
    if output:
        write_new_file(output, content, "--output")
        say(f"Wrote {len(content)} bytes to {output}.")
    elif as_json:
        emit_json(_entry_json(entry))
    else:
        lines = content[:2000].decode("utf-8", "backslashreplace").splitlines()[:40]
        head = [f"Quarantined {local(entry.at)}: {entry.reason}", f"sha256 {entry.sha256}", ""]
        print_lines([*head, *lines])


@quarantine.command()
def requeue(context: typer.Context, number: Number) -> None:
    """Read a quarantined mail again, as after an update; it goes back if that fails."""
    with run_context(load_config(context.obj)) as work:
        outcome = work.reader.read(work.store.quarantine.show(number)[1])
        if isinstance(outcome, Overrun):
            say(f"Still: {outcome.reason}")
            return  # its attempts were used up before: it stays in the quarantine
        entry, content = work.store.quarantine.show(number)
        place = MessageLocation(mailbox=entry.mailbox, validity=entry.validity, uid=entry.uid)
        message = Message(location=place, raw=content, size=entry.size, received_at=entry.received_at)
        # In one transaction: a death between the two steps left a message that was nowhere.
        (intake,) = ingest_messages(
            work, [(message, outcome)], first=lambda tx: tx.quarantine.requeue(number)
        )
    if intake.reason is None:
        say(f"Read again: {intake.kind}, {intake.bounces} bounces.")
    else:
        say(f"Still: {intake.reason}")
