"""The process that is killed: it runs cycles of the whole pipeline with a given clock."""

import os
from datetime import timedelta
from pathlib import Path

from bounce_watch.cli.common.open_store import run_context
from bounce_watch.config.load import load_config
from bounce_watch.pipeline import run_cycle
from bounce_watch.pipeline.wiring import sender_of, sent_lookup_of, source_of
from bounce_watch.sandbox.jobs import shipped_catalogue
from bounce_watch.send import FolderSender
from bounce_watch.testing import crash_points
from tests.safety.lab import START

# Every killed process inherits it from the fork server, as a service has it long before it dies.
shipped_catalogue()


def work(config_path: Path, minutes: int, aim: str | None, cycles: int) -> None:
    """Run cycles. What an SMTP sink took lies in the folder `taken` beside the configuration."""
    crash_points.arm(aim)
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
    os._exit(0)
