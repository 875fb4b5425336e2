"""One look at each mailbox, for `run --once` and `run --dry-run`, and its result in words."""

from collections.abc import Callable
from dataclasses import asdict

from bounce_watch.cli.common.output import emit_json, say
from bounce_watch.cli.common.progress import counting
from bounce_watch.config.models import Config
from bounce_watch.config.secrets import SecretError
from bounce_watch.pipeline import Context, CycleResult, check_mailbox
from bounce_watch.pipeline.incidents.mailbox_outage import note_fault, note_poll
from bounce_watch.pipeline.wiring import source_of
from bounce_watch.source import SourceError
from bounce_watch.source.interface import Source, no_progress


def look_once(
    config: Config,
    work: Context,
    stop: Callable[[], bool],
    watched: Callable[[Source], Source] = lambda source: source,
) -> tuple[CycleResult, list[Exception]]:
    """Look into every mailbox once; return the faults, which do not keep the other mailboxes from a look.

    The store notes faults, so that one that lasts is alerted also when only a timer starts the program.
    """
    result, faults = CycleResult(), list[Exception]()
    sources = [(settings, watched(source_of(settings))) for settings in config.source]
    if work.store.worker.is_alone:
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
            note_poll(work, source.name, settings.label)
    return result, faults


def untouched(source: Source) -> Source:
    """Let a source leave its messages where they are."""
    source.file = source.quarantine = no_progress  # type: ignore[method-assign]
    return source


def print_cycle(result: CycleResult, *, as_json: bool) -> None:
    """Print the result of a cycle: an object on stdout, or sentences on stderr."""
    if as_json:
        emit_json({**asdict(result), "kinds": {kind.value: count for kind, count in result.kinds.items()}})
        return
    if result.skipped:
        say(f"{result.skipped} messages could not be fetched and stay where they are: `bounce-watch status`.")
    if not result.messages:
        say("Nothing new in the mailbox.")
    else:
        kinds = ", ".join(f"{count} {kind.value}" for kind, count in sorted(result.kinds.items()))
        say(f"{result.messages} new messages ({kinds}).")
        say(f"{result.bounces} bounces; {result.duplicates} reports were there before.")
        say(f"{result.letters} replies written, {result.withheld} not sent.")
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


def _print_sending(result: CycleResult) -> None:
    done = result.delivered
    counts = {
        "sent": done.sent,
        "to be tried again": done.later,
        "refused": done.failed,
        "unclear": done.unknown,
    }
    if any(counts.values()):
        say(f"Mails: {', '.join(f'{count} {what}' for what, count in counts.items() if count)}.")
