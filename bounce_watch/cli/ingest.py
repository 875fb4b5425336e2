"""`ingest`: read old mail into the history without writing to anybody."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(ingest)


def ingest(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files, Maildirs, mboxes or folders; -.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one JSON object.")] = False,
) -> None:
    """Read files into the history. Nobody is written to, and the files stay as they are."""
    from bounce_watch.cli.logs import set_up_logs
    from bounce_watch.cli.opening import read_config, working
    from bounce_watch.cli.progress import counting
    from bounce_watch.cli.rehearsal import Untouched
    from bounce_watch.cli.summary import print_cycle
    from bounce_watch.daemon import Stopper
    from bounce_watch.pipeline.cycle import CycleResult, read_new
    from bounce_watch.source import open_path

    set_up_logs("text")
    stopper, result = Stopper().install(), CycleResult()
    with working(read_config(context.obj)) as house:
        for path in paths:
            with (
                Untouched(open_path(path)) as source,
                counting(f"Reading {path.name}", source.count()) as step,
            ):
                read_new(house, source, result, stop=stopper.is_set, progress=step, historical=True)
    print_cycle(result, as_json=as_json)
