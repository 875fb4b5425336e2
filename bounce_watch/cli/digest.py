"""`digest`: show the digest of a day, or queue today's."""

import datetime
import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(digest)


def digest(
    context: typer.Context,
    date: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="A digest that was made.")] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Make and send today's, if it was not made yet.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write it as HTML.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one JSON object.")] = False,
) -> None:
    """Print the digest as it would be sent now; nothing is sent without --send."""
    from bounce_watch.cli.opening import read_config

    config = read_config(context.obj)
    if send:
        from bounce_watch.cli.service import send_digest

        send_digest(config)
        return
    from dataclasses import asdict

    from bounce_watch.cli.output import emit_json, say
    from bounce_watch.cli.safe import for_terminal
    from bounce_watch.pipeline.digesting import gather
    from bounce_watch.pipeline.house import make_composer, utc_now
    from bounce_watch.store import open_store

    with open_store(config.store.path, read_only=True) as store:
        facts = gather(config, store, utc_now(), _date(date))
    if as_json:
        emit_json(asdict(facts))
        return
    letter = make_composer(config).digest(facts, event_key="preview", to=config.digest_to[0])
    sys.stdout.write(
        "".join(for_terminal(line) + "\n" for line in [letter.subject, "", *letter.text.splitlines()])
    )
    if html:
        html.write_text(letter.html, encoding="utf-8")
        say(f"Wrote {html}.")


def _date(text: str | None) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write 2026-11-24", param_hint="--date") from None
