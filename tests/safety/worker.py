"""The process that is killed: it runs cycles of the whole pipeline with a given clock."""

import os
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bounce_watch.cli.common.open_store import run_context
from bounce_watch.config.load import load_config
from bounce_watch.pipeline import run_cycle
from bounce_watch.pipeline.wiring import sender_of, sent_lookup_of, source_of
from bounce_watch.send import FolderSender
from bounce_watch.testing import crash_points
from tests.safety.lab import START, Lab, report
from tests.servers.compiled import share_compiled_statements


def work(config_path: Path, minutes: int, aim: str | None, cycles: int) -> None:
    """Run cycles. What an SMTP sink took lies in the folder `taken` beside the configuration."""
    crash_points.arm(aim)
    _run(config_path, minutes, cycles)
    os._exit(0)


def _run(config_path: Path, minutes: int, cycles: int) -> None:
    config = load_config(config_path)
    now = START + timedelta(minutes=minutes)
    taken = config_path.with_name("taken")
    with (
        run_context(config, lambda: now) as context,
        source_of(config.source[0]) as source,
        sender_of(config) as sender,
    ):
        for _ in range(cycles):
            run_cycle(
                context, source, sender, FolderSender(taken) if taken.exists() else sent_lookup_of(config)
            )


def _warm_up() -> None:
    """Run a day with a reply and a digest once: patterns, statements and templates are read and compiled.

    Every killed process inherits them from the fork server, as a service has them long before it dies.
    """
    share_compiled_statements()
    with TemporaryDirectory() as folder:
        lab = Lab(Path(folder))
        for minutes in (0, 24 * 60):
            lab.deliver(report(minutes))
            _run(lab.config, minutes, cycles=1)


_warm_up()
