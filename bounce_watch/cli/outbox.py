"""`outbox`: our messages, and the release of held ones. `breaker`: whether replies are stopped."""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.filters import AsCsv, AsJson, read_word
from bounce_watch.cli.common.open_store import change_store, read_store
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
from bounce_watch.config.load import load_config
from bounce_watch.model import OutboxState
from bounce_watch.pipeline.context import policy_of
from bounce_watch.pipeline.outbox.enqueue import clear_breaker
from bounce_watch.store import OutboxEntry
from bounce_watch.store.outbox.queue import Outbox

Numbers = Annotated[
    list[int] | None, typer.Argument(metavar="ID...", help="The ids that `outbox list` shows.")
]

outbox = typer.Typer(help="List, release or cancel messages; reset the breaker.", invoke_without_command=True)


@outbox.callback()
def _list_by_default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_outbox(context)


@outbox.command("list")
def list_outbox(
    context: typer.Context,
    state: Annotated[
        list[str] | None, typer.Option(help="held, pending, sent, failed, unknown; repeat it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 50,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """List mails, newest first."""
    states = [read_word(OutboxState, word, "--state") for word in state or []]
    with read_store(context.obj) as store:
        found = store.outbox.list(states, limit)
    emit(map(entry_json, found), _columns(), form_of(as_json, as_csv), empty="No such mail in the outbox.")


def entry_json(entry: OutboxEntry) -> dict[str, Any]:
    names = (
        "id kind state held_for to=recipient subject cause attempts created_at next_at sent_at server_reply"
    )
    return picked(entry, names)


def _columns() -> list[Any]:
    return [
        Column("id", "Id", right=True),
        Column("state", "State\nKind", show=lambda row: (row["state"], row["kind"])),
        Column("created_at", "Written", show=lambda row: two_lines(row["created_at"])),
        Column("to", "To\nSubject", show=_addressed, flexible=True, truncate=True),
    ]


def _addressed(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return recipient and subject, and the server's response to a message that was not sent."""
    said = (f"server: {row['server_reply']}",) if row["server_reply"] and row["state"] != "sent" else ()
    return row["to"], row["subject"], *said


@outbox.command("show")
def show_mail(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="ID", help="The id that `outbox list` shows.")],
    raw: Annotated[bool, typer.Option("--raw", help="The whole mail as it leaves.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one mail as its reader sees it."""
    with read_store(context.obj) as store:
        entry, content = store.outbox.show(number)
    if raw:
        sys.stdout.buffer.write(content)
    elif as_json:
        emit_json({**entry_json(entry), "text": entry.preview})
    else:
        head = [f"To: {entry.recipient}", f"Subject: {entry.subject}", f"State: {entry.state}", ""]
        print_lines([*head, *entry.preview.splitlines()])


@outbox.command()
def release(
    context: typer.Context,
    numbers: Numbers = None,
    everything: Annotated[bool, typer.Option("--all", help="All held mails.")] = False,
) -> None:
    """Release held messages: they leave at the next look of the service, or with `run --once`."""
    count = _change(context, Outbox.release, numbers, everything)
    say(f"{count} released; {'it leaves' if count == 1 else 'they leave'} with the next run.")


@outbox.command()
def retry(
    context: typer.Context,
    numbers: Numbers = None,
    everything: Annotated[bool, typer.Option("--all", help="All failed mails.")] = False,
) -> None:
    """Send failed mails again."""
    say(f"{_change(context, Outbox.retry, numbers, everything)} will be sent again.")


@outbox.command()
def abandon(context: typer.Context, numbers: Numbers = None) -> None:
    """Give up mails that wait or failed: they are never sent."""
    say(f"{_change(context, Outbox.abandon, numbers, everything=False)} given up.")


def _change(
    context: typer.Context,
    change: Callable[[Outbox, Any, datetime], int],
    numbers: list[int] | None,
    everything: bool,
) -> int:
    if not numbers and not everything:
        or_all = "" if change is Outbox.abandon else ", or --all"
        raise typer.BadParameter(f"say which: the ids that `bounce-watch outbox list` shows{or_all}")
    with change_store(context.obj) as store, store.transaction() as tx:
        count = change(tx.outbox, numbers or None, datetime.now(UTC))
    if not count:
        say("bounce-watch: no mail changed; see `bounce-watch outbox list`")
        raise typer.Exit(Exit.FAILED)
    return count


breaker = typer.Typer(help="Show whether the breaker stopped replies, or reset it.", no_args_is_help=True)
outbox.add_typer(breaker, name="breaker")


@breaker.command()
def status(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False
) -> None:
    """Tell whether replies are stopped, and since when."""
    with read_store(context.obj) as store:
        since, waiting = store.state.breaker_latched_at(), store.outbox.count_waiting()
    if as_json:
        emit_json({"latched": since is not None, "since": since, "waiting": waiting})
    elif since is None:
        say("Replies are not stopped.")
    else:
        say(f"Replies are stopped since {local(since)}: too many were due at once. Alerts and digests leave.")
        say(f"{waiting} replies wait. `bounce-watch top` shows the cause.")
        say("`bounce-watch outbox breaker clear` sends them and allows replies again.")


@breaker.command()
def clear(context: typer.Context) -> None:
    """Allow replies again. Those that waited are sent one by one, within the limits."""
    policy = policy_of(load_config(context.obj))
    with change_store(context.obj) as store, store.transaction() as tx:
        released = clear_breaker(tx, policy, datetime.now(UTC))
    if released is None:
        say("Replies were not stopped.")
    else:
        say(f"Replies are allowed again; {released} that waited leave with the next runs, within the limits.")
