"""`ingest`: read old messages into the history without a reply or an alert."""

from pathlib import Path
from typing import Annotated

import typer

from bounce_watch.cli.common.cycle import print_cycle, untouched
from bounce_watch.cli.common.logs import set_up_logs
from bounce_watch.cli.common.open_store import run_context
from bounce_watch.cli.common.output import say
from bounce_watch.cli.common.progress import counting
from bounce_watch.cli.parse import Jobs
from bounce_watch.config.load import load_config
from bounce_watch.daemon import Stopper
from bounce_watch.pipeline import CycleResult
from bounce_watch.pipeline.ingest.fetch import ingest_new
from bounce_watch.pipeline.ingest.read import ReadAll
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.jobs import Job
from bounce_watch.sandbox.pool import cores, in_order
from bounce_watch.source import Source, open_path

_MAX_NAMED = 20


def ingest(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files, Maildirs, mboxes or folders; -.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one JSON object.")] = False,
    jobs: Jobs = None,
) -> None:
    """Read message files into the history.

    Nothing is sent, and the files stay as they are.
    """
    set_up_logs("text")
    config, stopper, result = load_config(context.obj), Stopper().install(), CycleResult()
    read_all = _on_all_cores(jobs, here=not config.run.isolate)
    with run_context(config) as work:
        for path in paths:
            with (
                untouched(open_path(path)) as source,
                counting(f"Reading {path.name}", source.count()) as step,
            ):
                ingest_new(
                    work,
                    source,
                    result,
                    stop=stopper.is_set,
                    progress=step,
                    historical=True,
                    read_all=read_all,
                )
                _name_skipped(source)
    print_cycle(result, as_json=as_json)


def _on_all_cores(jobs: int | None, *, here: bool) -> ReadAll:
    """Return the function that reads messages in `jobs` processes; `here`: in this process."""
    return lambda messages: in_order(
        messages, lambda message: ReadRequest("", message.raw), Job.READINGS, jobs=jobs or cores(), here=here
    )


def _name_skipped(source: Source) -> None:
    for name, reason in source.skipped[:_MAX_NAMED]:
        say(f"Left out: {name}: {reason}")
    if len(source.skipped) > _MAX_NAMED:
        say(f"... and {len(source.skipped) - _MAX_NAMED} more.")
