"""One watcher of a simulated day: the service with a clock that runs faster."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bounce_watch.cli.common.open_store import run_context
from bounce_watch.config.load import load_config
from bounce_watch.daemon import CycleWork, MailboxThread, Service, Stopper
from bounce_watch.pipeline.wiring import sender_of, sent_lookup_of, source_of
from bounce_watch.sandbox.jobs import shipped_catalogue
from bounce_watch.store import StoreTemporary

shipped_catalogue()  # every watcher inherits it from the fork server
PAUSE = 0.3


@dataclass(frozen=True, slots=True)
class DayClock:
    """A day from `start` on that began at the time `began` and runs `faster`."""

    start: datetime
    began: float
    faster: float

    def __call__(self) -> datetime:
        return self.start + timedelta(seconds=self.faster * (time.time() - self.began))


def watch(config_path: Path, clock: DayClock, log: Path) -> None:
    """Work until killed."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(log.open("a", buffering=1)))
    while True:
        try:
            _serve(config_path, clock)
        except StoreTemporary as error:
            structlog.get_logger().warning("ended", error=str(error))
            time.sleep(PAUSE)


def _serve(config_path: Path, clock: Callable[[], datetime]) -> None:
    config, stopper = load_config(config_path), Stopper()
    with run_context(config, clock) as context, sender_of(config) as sender:
        work = CycleWork(context, sender, sent_lookup_of(config), stopper.is_set)
        mailbox = MailboxThread("mailbox", source_of(config.source[0]))
        Service([mailbox], work, stopper, poll=1, tick=PAUSE, retry=lambda _: PAUSE).run()
