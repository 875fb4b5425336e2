"""`digest`: show the digest of a day, or queue today's."""

import datetime
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bounce_watch.cli.common.filters import read_word
from bounce_watch.cli.common.open_store import run_context
from bounce_watch.cli.common.output import emit_json, print_lines, say
from bounce_watch.cli.common.pages import open_page, write_page
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.model import Edition, Letter
from bounce_watch.pipeline import deliver, make_digest
from bounce_watch.pipeline.context import make_composer, utc_now
from bounce_watch.pipeline.digest import gather
from bounce_watch.pipeline.wiring import sender_of, sent_lookup_of
from bounce_watch.store import open_store, store_location


def digest(
    context: typer.Context,
    date: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="A digest that was made.")] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Make and send today's, if it was not made yet.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Also open it in the browser, as it will look in a mail.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write it as HTML.")
    ] = None,
    edition: Annotated[str, typer.Option(help="daily, weekly or monthly.")] = "daily",
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one JSON object.")] = False,
) -> None:
    """Print the digest as it would be sent now.

    Nothing is sent without --send.
    """
    config = load_config(context.obj)
    if send:
        _send(config)
        return
    wanted, day = read_word(Edition, edition, "--edition"), _date(date)
    now = utc_now()
    with open_store(store_location(config.store), read_only=True) as store:
        if day is not None and not store.digests.can_count(day, now.astimezone(config.zone).date()):
            raise typer.BadParameter(f"no digest was made for {day}", param_hint="--date")
        facts = gather(config, store, now, day, wanted)
    if as_json:
        emit_json(asdict(facts))
        return
    letter = make_composer(config).digest(facts, event_key="preview", to=config.digest_to[0])
    print_lines([letter.subject, "", *letter.text.splitlines()])
    _write_html(letter, html, preview)


def _write_html(letter: Letter, html: Path | None, preview: bool) -> None:
    """Write the HTML to the given file; a preview without one gets a temporary file."""
    if preview and html is None:
        html = Path(tempfile.mkdtemp(prefix="bounce-watch-")) / "digest.html"
    if html is None:
        return
    write_page(html, letter.html, "--html")
    say(f"Wrote {html}.")
    if preview and not open_page(html):
        say("There is no screen here to open it on; open the file in a browser.")


def _date(text: str | None) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write 2026-11-24", param_hint="--date") from None


def _send(config: Config) -> None:
    """Make today's digest if it was not made yet, and send what is due."""
    with run_context(config) as work, sender_of(config) as sender:
        digest = make_digest(work)
        done = deliver(work, sender, sent_lookup_of(config))
    say("Today's digest was made before." if digest is None else f"Digest of {digest.local_date} made.")
    say(f"{done.sent} mails sent.")
