"""`owners`: who looks after unattended addresses, which senders lack an owner, who one sender's is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.filters import AsCsv, AsJson, Since, complete_sender
from bounce_watch.cli.common.open_store import read_store
from bounce_watch.cli.common.output import Column, emit, form_of, say
from bounce_watch.cli.common.when import read_moment
from bounce_watch.cli.privacy.forget import read_person
from bounce_watch.config.load import load_config
from bounce_watch.config.owners import SenderOwner, find_owner
from bounce_watch.notifications.gate.robots import is_rewritten, is_robot
from bounce_watch.notifications.gate.values import UNREAD

owners = typer.Typer(
    no_args_is_help=True,
    help="List owners of unattended addresses, and those without.",
    rich_markup_mode=None,
)
_MONTH = timedelta(days=30)
MOST = 1_000
_TOLD = {True: "no one", False: "the sender"}


def _read(path: Path | None) -> tuple[SenderOwner, ...]:
    """Return the entries that a service would read now; say what is wrong with a CSV file."""
    config = load_config(path)
    for fault in config.owner_faults:
        say(f"Not read: {fault}")
    return config.owners_now({})


@owners.command("list")
def list_owners(context: typer.Context, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the entries, in the order in which they count."""
    rows = [owner.model_dump(exclude={"csv"}) for owner in _read(context.obj)]
    columns = [
        Column("name", "Name"),
        Column(
            "senders",
            "Senders\n→ notified",
            show=lambda row: (*row["senders"], *(f"→ {to}" for to in row["to"])),
            flexible=True,
        ),
        Column("every", "Every"),
    ]
    emit(rows, columns, form_of(as_json, as_csv), empty="No owners are configured: see [[owners]].")


@owners.command()
def missing(
    context: typer.Context, since: Since = None, as_json: AsJson = False, as_csv: AsCsv = False
) -> None:
    """List senders whose bounces reach no reader and no owner."""
    begin = read_moment(since) or datetime.now(UTC) - _MONTH
    entries = _read(context.obj)
    with read_store(context.obj) as store:
        found = store.owner_letters.without_owner(sorted(UNREAD), begin, MOST)
    rows = [
        {"sender": sender, "bounces": count, "last_at": newest}
        for sender, count, newest in found
        if find_owner(entries, sender) is None
    ]
    columns = [
        Column("sender", "Sender", flexible=True),
        Column("bounces", "Bounces", right=True),
        Column("last_at", "Last"),
    ]
    emit(rows, columns, form_of(as_json, as_csv), empty="Every unattended sender has an owner.")


@owners.command("test")
def try_sender(
    context: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="A sender's address.", autocompletion=complete_sender)
    ],
    as_json: AsJson = False,
) -> None:
    """Show who would be told about a bounce of a sender."""
    read_person(address)
    owner = find_owner(_read(context.obj), address)
    is_ours = load_config(context.obj).site.is_ours(address)
    unread = is_robot(address) or is_rewritten(address) or bool(owner and owner.knows_as_unread(address))
    told = owner.to if owner and unread else []
    row = {"sender": address, "owner": owner.name if owner else None, "is_unread": unread, "told": told}
    columns = [
        Column(
            "sender",
            "Sender\n→ notified",
            show=lambda row: (
                row["sender"],
                *(f"→ {to}" for to in row["told"] or [_TOLD[unread or not is_ours]]),
            ),
            flexible=True,
        ),
        Column("is_unread", "Unattended", show=lambda row: "yes" if row["is_unread"] else "no"),
        Column("owner", "Owner"),
    ]
    emit([row], columns, form_of(as_json))
    if unread and owner is None:
        raise typer.Exit(Exit.FAILED)
