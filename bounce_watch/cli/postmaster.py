"""`show ID --postmaster-draft`: a mail to the recipient's admin, for our admin to read and send."""

import sys
from pathlib import Path

import typer

from bounce_watch.cli.output import say
from bounce_watch.cli.status import Exit
from bounce_watch.config.load import load_config
from bounce_watch.model import Cause, Side
from bounce_watch.notifications.facts import Organisation
from bounce_watch.notifications.guidance.postmaster_draft import DraftFacts, postmaster_draft
from bounce_watch.notifications.rendering.safe_text import for_terminal
from bounce_watch.notifications.rendering.templates import Templates
from bounce_watch.shipped_files import templates
from bounce_watch.store import BounceDetail

# Our servers say so, but it is theirs that did not answer.
_GAVE_UP = frozenset((Cause.MESSAGE_EXPIRED, Cause.NETWORK_ERROR, Cause.TLS_FAILURE))


def write_draft(place: Path | None, detail: BounceDetail) -> None:
    """Print the draft about one bounce; say so and fail when our own servers refused the mail."""
    row = detail.bounce or detail.bounces[0]
    if row.bounce.side is Side.OURS and row.bounce.cause not in _GAVE_UP:
        say("Our own servers refused this mail: the recipient's admin cannot change that.")
        say(f"What to do: bounce-watch explain {row.bounce.code or ''}".rstrip())
        raise typer.Exit(Exit.FAILED)
    config, report = load_config(place), detail.report.report
    own = [config.overrides.templates] if config.overrides.templates else []
    home = config.organisation
    text = postmaster_draft(
        Templates([*own, templates()]),
        Organisation(name=home.name, support=home.support, time_zone=home.time_zone, language=home.language),
        DraftFacts(
            bounce=row.bounce,
            sent_at=report.original.date,
            message_id=row.original_message_id,
            envelope_id=report.original_envelope_id,
            reporter=report.reporting_mta,
        ),
    )
    sys.stdout.write("".join(f"{for_terminal(line)}\n" for line in text.splitlines()))
