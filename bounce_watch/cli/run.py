"""`run`: the service, one look at the mailboxes, or a rehearsal that changes nothing."""

import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

import structlog
import typer

from bounce_watch.cli.common.cycle import look_once, print_cycle, untouched
from bounce_watch.cli.common.exit_status import Exit, say_repair
from bounce_watch.cli.common.logs import set_up_logs
from bounce_watch.cli.common.open_store import run_context, run_store
from bounce_watch.cli.common.output import say
from bounce_watch.cli.common.progress import measuring
from bounce_watch.cli.common.rehearsal import list_rehearsed
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.daemon import Ending, Stopper, StopTimeout
from bounce_watch.daemon.reload import ServiceRunner
from bounce_watch.model import OutboxState
from bounce_watch.pipeline import CycleResult, run_due_work
from bounce_watch.pipeline.wiring import sender_of, sent_lookup_of
from bounce_watch.source.interface import never
from bounce_watch.store import StoreMissing, store_location
from bounce_watch.store.copy import copy_store


def run(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One look at the mailbox, then stop.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; store, move and send nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --once: the figures as one JSON object.")
    ] = False,
    log_format: Annotated[str, typer.Option(help="text or json.")] = "text",
) -> None:
    """Watch the mailbox, reply, alert, and send the digest.

    It reads reports, replies to colleagues, alerts admins, and sends the daily digest until it is stopped.
    """
    stopper = Stopper()
    if not (once or dry_run):
        stopper.accept_reload()  # before the file is read, so that what changes in it now is read again
    set_up_logs(log_format)
    config = load_config(context.obj)
    set_up_logs(log_format, shown=None if config.monitor.full_addresses else config.own_addresses)
    if dry_run:
        _rehearse(config, as_json=as_json)
    elif once:
        _once(config, stopper.install(), as_json=as_json)
    else:
        _serve(context, config, stopper)


def _once(config: Config, stopper: Stopper, *, as_json: bool) -> None:
    # No other look follows soon, so alerts do not wait for more bounces.
    config = config.model_copy(update={"alerts": config.alerts.model_copy(update={"settle_seconds": 0.0})})
    with run_context(config) as work, sender_of(config) as sender:
        result, faults = look_once(config, work, stopper.is_set)
        run_due_work(work, sender, sent_lookup_of(config), result, stop=stopper.is_set, hurry=True)
    if len(faults) == len(config.source):
        raise faults[0]
    print_cycle(result, as_json=as_json)
    _exit_on_stop(result)
    if faults:
        raise faults[0]
    if result.skipped:
        raise typer.Exit(Exit.TRY_LATER)


def _exit_on_stop(result: CycleResult) -> None:
    if result.delivered.stopped:
        typer.echo(f"bounce-watch: sending was refused: {result.delivered.stopped}", err=True)
        repair = result.delivered.repair or "bounce-watch check tells what"
        say_repair(f"{repair}; the mails wait in the outbox", result.delivered.commands)
        raise typer.Exit(Exit.REFUSED)


def _serve(context: typer.Context, config: Config, stopper: Stopper) -> None:
    """Work until a signal; a reload starts again with the new configuration and the same store."""
    log = structlog.get_logger()
    stopper.limit = config.run.stop_seconds
    stopper.install()
    with run_store(config) as store:
        runner = ServiceRunner(context.obj, config, store, stopper)
        try:
            while runner.run() is Ending.RELOAD:
                pass
        except StopTimeout:
            log.warning("stopped_at_limit", limit_seconds=stopper.limit)
            raise


def _rehearse(config: Config, *, as_json: bool) -> None:
    """Run one cycle on a copy of the store, and print what would have happened."""
    with tempfile.TemporaryDirectory(prefix="bounce-watch-dry-run-", ignore_cleanup_errors=True) as folder:
        copy = config.model_copy(
            update={"store": config.store.model_copy(update={"path": Path(folder) / "store.db", "url": None})}
        )
        _copy_store(config, copy.store.path)
        with run_context(copy) as work:
            before, last = work.store.outbox.newest(), work.store.history.newest()
            result, faults = look_once(config, work, never, untouched)
            run_due_work(work, None, None, result, hurry=True)
            due = work.store.outbox.due(work.clock(), limit=20)
            held = [mail for mail in work.store.outbox.list([OutboxState.HELD], 20) if mail.id > before]
            if not as_json:
                list_rehearsed(config, work.store, last)
        if len(faults) == len(config.source):
            raise faults[0]
        if not as_json:
            result.held = 0  # they are in no outbox, and listed below
        print_cycle(result, as_json=as_json)
        for mail in due:
            say(f"Would send to {mail.recipient}: {mail.subject}")
        for mail in reversed(held):
            say(f"Would hold for your release, to {mail.recipient}: {mail.subject}")
        say("This was a rehearsal: nothing was stored, moved or sent.")
        if faults:
            raise faults[0]


def _copy_store(config: Config, target: Path) -> None:
    """Copy the store to a file; without a store there is nothing to copy."""
    place = store_location(config.store)
    if isinstance(place, Path):
        _copy_file(place, target)
        return
    with suppress(StoreMissing), measuring("Copying the store") as progress:
        copy_store(place, target, progress=progress)


def _copy_file(source: Path, target: Path) -> None:
    if not source.is_file():
        return
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as before,
        closing(sqlite3.connect(target)) as after,
    ):
        before.backup(after)
    target.chmod(0o600)
