"""`run`: the service, one look, or a rehearsal that changes nothing.

What a run did, in a few lines."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bounce_watch.cli.common.output import emit_json, say

if TYPE_CHECKING:
    from bounce_watch.pipeline import CycleResult


def print_cycle(result: "CycleResult", *, as_json: bool) -> None:
    """Print one cycle: an object on stdout, or sentences on stderr."""
    if as_json:
        emit_json({**asdict(result), "kinds": {kind.value: count for kind, count in result.kinds.items()}})
        return
    if result.skipped:
        say(f"{result.skipped} files could not be opened and were left out.")
    if not result.messages:
        say("Nothing new in the mailbox.")
    else:
        kinds = ", ".join(f"{count} {kind.value}" for kind, count in sorted(result.kinds.items()))
        say(f"{result.messages} new mails ({kinds}).")
        say(f"{result.bounces} bounces; {result.duplicates} reports were there before.")
        say(f"{result.letters} answers written, {result.withheld} not written (see `bounce-watch show ID`).")
    if result.opened:
        names = ", ".join(f"INC-{number}" for number in result.opened)
        say(f"Incidents opened: {names}. See `bounce-watch incidents show {result.opened[0]}`.")
    if result.left:
        say(f"{result.left} mails are no reports and stay where they are.")
    if result.quarantined:
        say(f"{result.quarantined} could not be read: `bounce-watch quarantine list`.")
    _print_sending(result)
    if result.held:
        say(
            f"{result.held} mails wait for you: `bounce-watch outbox list` shows them, "
            "`bounce-watch outbox release --all` lets them go."
        )


def _print_sending(result: "CycleResult") -> None:
    done = result.delivered
    counts = {
        "sent": done.sent,
        "to be tried again": done.later,
        "refused": done.failed,
        "unclear": done.unknown,
    }
    if any(counts.values()):
        say(f"Mails: {', '.join(f'{count} {what}' for what, count in counts.items() if count)}.")


if TYPE_CHECKING:
    from bounce_watch.config.models import Config
    from bounce_watch.pipeline import Context, CycleResult
    from bounce_watch.source.interface import Source


def register(app: typer.Typer) -> None:
    app.command()(run)


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
    """Watch the mailbox: read reports, answer colleagues, alert admins, send the daily digest."""
    from bounce_watch.cli.common.logs import set_up_logs
    from bounce_watch.config.load import load_config

    set_up_logs(log_format)
    config = load_config(context.obj)
    set_up_logs(log_format, shown=None if config.monitor.full_addresses else config.own_addresses)
    if dry_run:
        from bounce_watch.cli.run_dry import rehearse

        rehearse(config, as_json=as_json)
    elif once:
        _once(config, as_json=as_json)
    else:
        _serve(context, config)


def _once(config: "Config", *, as_json: bool) -> None:
    from bounce_watch.cli.common.open_store import working
    from bounce_watch.daemon import Stopper
    from bounce_watch.pipeline import run_due_work
    from bounce_watch.pipeline.wiring import sender_of, sent_lookup_of

    stopper = Stopper().install()
    # Nobody looks again in a minute: what this look found is told now.
    config = config.model_copy(update={"alerts": config.alerts.model_copy(update={"settle_seconds": 0.0})})
    with working(config) as work, sender_of(config) as sender:
        result, faults = look_once(config, work, stopper.is_set)
        run_due_work(work, sender, sent_lookup_of(config), result, stop=stopper.is_set, hurry=True)
    if len(faults) == len(config.source):
        raise faults[0]
    print_cycle(result, as_json=as_json)
    _exit_on_stop(result)
    if faults:
        raise faults[0]


def look_once(
    config: "Config",
    work: "Context",
    stop: Callable[[], bool],
    watched: "Callable[[Source], Source]" = lambda source: source,
) -> "tuple[CycleResult, list[Exception]]":
    """Look into every mailbox once; a fault is kept, and stops neither the others nor what else is due.

    It is noted in the store: the admins hear of one that lasts, also where nothing but a timer looks.
    """
    from bounce_watch.cli.common.output import say
    from bounce_watch.cli.common.progress import counting
    from bounce_watch.config.secrets import SecretError
    from bounce_watch.pipeline import CycleResult, check_mailbox
    from bounce_watch.pipeline.incidents.mailbox_outage import note_fault, note_recovery
    from bounce_watch.pipeline.wiring import source_of
    from bounce_watch.source import SourceError

    result, faults = CycleResult(), list[Exception]()
    sources = [(settings, watched(source_of(settings))) for settings in config.source]
    if work.store.watcher.is_alone:
        with work.store.transaction() as tx:
            tx.mailboxes.keep_troubles([source.name for _, source in sources])
    for settings, source in sources:
        try:
            with source, counting(f"Reading {settings.label}", source.count()) as step:
                check_mailbox(work, source, result, stop=stop, progress=step)
        except (SourceError, SecretError) as error:
            note_fault(work, source.name, settings.label, error)
            if len(config.source) > 1:
                say(f"{settings.label} was left out: {error}")
            faults.append(error)
        else:
            note_recovery(work, source.name, settings.label)
    return result, faults


def _exit_on_stop(result: "CycleResult") -> None:
    from bounce_watch.cli.common.exit_status import Exit, say_repair

    if result.delivered.stopped:
        typer.echo(f"bounce-watch: sending was refused: {result.delivered.stopped}", err=True)
        repair = result.delivered.repair or "bounce-watch check tells what"
        say_repair(f"{repair}; the mails wait in the outbox", result.delivered.commands)
        raise typer.Exit(Exit.REFUSED)


def _serve(context: typer.Context, config: "Config") -> None:
    """Work until told to stop; a reload begins anew with the new configuration and the same store."""
    import structlog

    from bounce_watch.cli.common.open_store import holding
    from bounce_watch.daemon import Ending, Stopper, StopTimeout
    from bounce_watch.daemon.reload import ServiceRunner

    log = structlog.get_logger()
    stopper = Stopper(config.run.stop_seconds).install()
    stopper.accept_reload()
    with holding(config) as store:
        runner = ServiceRunner(context.obj, config, store, stopper)
        try:
            while runner.run() is Ending.RELOAD:
                pass
        except StopTimeout:
            log.warning("stopped_at_limit", limit_seconds=stopper.limit)
            raise


def send_digest(config: "Config") -> None:
    """Make today's digest if it was not made yet, and send what is due."""
    from bounce_watch.cli.common.open_store import working
    from bounce_watch.cli.common.output import say
    from bounce_watch.pipeline import deliver, make_digest
    from bounce_watch.pipeline.wiring import sender_of, sent_lookup_of

    with working(config) as work, sender_of(config) as sender:
        digest = make_digest(work)
        done = deliver(work, sender, sent_lookup_of(config))
    say("Today's digest was made before." if digest is None else f"Digest of {digest.local_date} made.")
    say(f"{done.sent} mails sent.")
