"""`demo`: one working week of a fictional company, played through the real pipeline into a folder."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    folder: Annotated[Path, typer.Option(help="Where mailbox, store and mails go.")] = Path("demo-output"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove an earlier demo first.")] = False,
) -> None:
    """Play a sample week of bounces and show what comes of it. No server, no mail leaves this machine."""
    from bounce_watch.cli.demo_report import print_report
    from bounce_watch.cli.demo_week import play, remove

    if fresh:
        remove(folder)
    print_report(play(folder))
