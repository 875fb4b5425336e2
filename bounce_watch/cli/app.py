"""The program's commands. This module only names them, so that `--help` is quick."""

from pathlib import Path
from typing import Annotated

import typer

from bounce_watch import __version__
from bounce_watch.cli import (
    digest,
    history,
    ingest,
    outbox,
    parse,
    person,
    quarantine,
    report,
    run,
    status,
    templates,
)
from bounce_watch.cli.counts import stats, top_and_trend
from bounce_watch.cli.db import db
from bounce_watch.cli.demo import demo
from bounce_watch.cli.explain import explain
from bounce_watch.cli.incidents import incidents
from bounce_watch.cli.privacy import export, forget
from bounce_watch.cli.rules import rules
from bounce_watch.cli.setup import calibrate, setup

app = typer.Typer(
    name="bounce-watch",
    help="Read the bounces of your organisation, see who must act, and tell them exactly what to do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bounce-watch {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="FILE", help="Configuration file (default: the usual places)."
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    context.obj = config


for group in (
    demo,
    setup,
    run,
    status,
    ingest,
    parse,
    explain,
    history,
    stats,
    top_and_trend,
    person,
    incidents,
    rules,
    digest,
    report,
    outbox,
    calibrate,
    quarantine,
    templates,
    db,
    export,
    forget,
):
    group.register(app)
