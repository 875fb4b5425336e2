"""`quarantine`: mails that nobody could read, kept with their bytes."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.filters import AsJson
from bounce_watch.cli.common.open_store import read_store, run_context
from bounce_watch.cli.common.output import Column, emit, emit_json, form_of, local, say
from bounce_watch.config.load import load_config
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.notifications.rendering.safe_text import for_terminal
from bounce_watch.pipeline import ingest_messages
from bounce_watch.sandbox.outcome import Overrun
from bounce_watch.source.interface import Message
from bounce_watch.store import QuarantineEntry

Number = Annotated[int, typer.Argument(metavar="ID", help="The id that `quarantine list` shows.")]

quarantine = typer.Typer(
    help="See mails that could not be read, and read them again.", invoke_without_command=True
)


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
        Column(key="id", title="Id", right=True),
        Column(key="at", title="Since", show=lambda row: local(row["at"])),
        Column(key="size", title="Bytes", right=True),
        Column(key="reason", title="Why"),
        Column(key="uid", title="Where", show=lambda row: f"{row['mailbox']} {row['uid']}"),
    ]
    emit(map(entry_json, found), columns, form_of(as_json), empty="The quarantine is empty.")


def entry_json(entry: QuarantineEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "reason": entry.reason,
        "size": entry.size,
        "sha256": entry.sha256,
        "attempts": entry.attempts,
        "mailbox": entry.mailbox,
        "uid": entry.uid,
        "received_at": entry.received_at,
    }


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
        output.write_bytes(content)
        say(f"Wrote {len(content)} bytes to {output}.")
    elif as_json:
        emit_json(entry_json(entry))
    else:
        lines = content[:2000].decode("utf-8", "backslashreplace").splitlines()[:40]
        head = [f"Quarantined {entry.at:%Y-%m-%d %H:%M} UTC: {entry.reason}", f"sha256 {entry.sha256}", ""]
        sys.stdout.write("".join(for_terminal(line) + "\n" for line in [*head, *lines]))


@quarantine.command()
def requeue(context: typer.Context, number: Number) -> None:
    """Read a quarantined mail again, as after an update; it goes back if that fails."""
    with run_context(load_config(context.obj)) as work:
        outcome = work.reader.read(work.store.quarantine.show(number)[1])
        if isinstance(outcome, Overrun):
            # It was counted to the end before: it stays where it is.
            say(f"Still: {outcome.reason}")
            return
        with work.store.transaction() as tx:
            entry, content = tx.quarantine.requeue(number)
        place = MessageLocation(mailbox=entry.mailbox, validity=entry.validity, uid=entry.uid)
        message = Message(location=place, raw=content, size=entry.size, received_at=entry.received_at)
        (intake,) = ingest_messages(work, [(message, outcome)])
    say(
        f"Read again: {intake.kind}, {intake.bounces} bounces."
        if intake.reason is None
        else f"Still: {intake.reason}"
    )
