"""What a run did, in a few lines."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from bounce_watch.cli.output import emit_json, say

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
