"""The process below the shim: for each n, the service works while its n-th write fails.

Called with the folder to work in, the shim, and kinds: `full` (every write from the n-th on fails until
the service has noticed) or `error` (that one call fails). Prints what came of it, a line for each n.
"""

import ctypes
import errno
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Protocol

from bounce_watch.cli.common.exit_status import Exit, status_of
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.daemon import CycleWork, MailboxOutcome, MailboxThread, Service, Stopper, loop
from bounce_watch.pipeline import Context, open_context
from bounce_watch.pipeline.wiring import sender_of, source_of
from bounce_watch.send import FolderSender, Sender
from bounce_watch.source.interface import Source
from bounce_watch.store import open_store, store_location, work_with
from tests.safety.lab import START, Lab, assert_whole, report
from tests.safety.test_crashes import GARBAGE, NEWSLETTER
from tests.store.committed import committed

FOREVER = 1_000_000_000
GRACE = timedelta(minutes=11)
CYCLES = 3
"""Good cycles after a fault; between them passes the time after which an uncertain mail is looked for."""


class Shim:
    """The library that fails. `noticed` heals a disk that is full."""

    def __init__(self, path: str) -> None:
        self._library = ctypes.CDLL(path)
        self._library.failures.restype = ctypes.c_long

    def arm(self, folder: Path, first: int, times: int, number: int) -> None:
        self._library.arm(
            str(folder).encode(), ctypes.c_long(first), ctypes.c_long(times), ctypes.c_int(number)
        )

    def disarm(self) -> None:
        self._library.disarm()

    @property
    def failures(self) -> int:
        return int(self._library.failures())


class Faults(Protocol):
    """What lets a store fail. `disarm` heals it."""

    def disarm(self) -> None: ...


class Worker:
    """One service in one lab, started again as systemd would while its exit status allows that."""

    knowledge: Context | None = None
    """A context whose catalogue, rules and templates are read once, for they are the same in all labs."""

    def __init__(self, lab: Lab, shim: Faults, pause: float = 0) -> None:
        self.lab, self.shim, self.pause = lab, shim, pause
        self.now = START + timedelta(minutes=lab.minutes)
        self.good = self.starts = 0
        self.said: list[str] = []

    def run(self) -> None:
        while self.good < CYCLES:
            self.starts += 1
            assert self.starts < 5, f"started {self.starts} times: {self.said}"
            try:
                self._serve()
            except Exception as error:
                if status_of(error) is not Exit.TRY_LATER:
                    raise
                self.notice(error)

    def notice(self, error: Exception) -> None:
        """The disk has room again once the service has met the fault."""
        self.said.append(f"{type(error).__name__}: {error}")
        self.shim.disarm()

    def go_on(self) -> None:
        """A round went well: whatever failed was tolerated, and time passes."""
        self.good += 1
        self.shim.disarm()
        self.now += GRACE

    @contextmanager
    def _working(self, config: Config) -> Iterator[Context]:
        """Do as `cli.opening.working` does, without reading what is known anew each time."""
        place = store_location(config.store)
        with work_with(place) as worker, open_store(place) as store:
            committed(store).state.start_run(self.now)
            committed(store).outbox.recover(self.now, tuple if worker.is_alone else worker.at_work)
            store.worker = worker
            context = Worker.knowledge or open_context(config, store)
            Worker.knowledge = replace(
                context, config=config, store=store, clock=lambda: self.now, unrecorded={}
            )
            yield Worker.knowledge

    def _serve(self) -> None:
        config, stopper = load_config(self.lab.config), Stopper()
        with self._working(config) as context, sender_of(config) as sender:
            work = Watched(self, stopper, context, sender)
            mailbox = MailboxThread("mailbox", source_of(config.source[0]))
            Service([mailbox], work, stopper, poll=0.01, tick=0.01, retry=lambda _: self.pause).run()


class Watched(CycleWork):
    """The service's work; after each round that went well the clock goes on, and in the end it stops."""

    def __init__(self, worker: Worker, stopper: Stopper, context: Context, sender: Sender) -> None:
        super().__init__(context, sender, FolderSender(worker.lab.folder / "sent"), stopper.is_set)
        self._worker, self._stopper = worker, stopper
        self._has_looked = False

    def check_mailbox(self, source: Source, progress: Callable[[], None]) -> MailboxOutcome:
        try:
            self._has_looked = False
            found = super().check_mailbox(source, progress)
            self._has_looked = True
        except Exception as error:
            self._worker.notice(error)
            raise
        return found

    def run_due_work(self) -> None:
        try:
            super().run_due_work()
        except Exception as error:
            self._worker.notice(error)
            raise
        if self._has_looked:
            self._has_looked = False
            self._worker.go_on()
            if self._worker.good == CYCLES:
                self._stopper.set()


def main(folder: Path, shim: Shim, kinds: str, step: int) -> Iterator[dict[str, object]]:
    """Prepare a lab once and copy it for every position of every kind."""
    first = Lab(folder / "first")
    Worker(first, shim).run()
    for mail in (first.folder / "sent").glob("*.eml"):
        mail.unlink()
    first.minutes += 24 * 60  # the digest of the next day is due while the disk fails
    for content in (report(1), NEWSLETTER, report(2), GARBAGE):
        first.deliver(content)
    for kind in kinds.split(","):
        for number in count(step, step):
            lab = first.copy(folder / "lab")
            worker = work_while_it_fails(lab, shim, kind, number)
            if not shim.failures:
                lab.remove()
                break
            yield {"kind": kind, "at": number, "starts": worker.starts, "said": worker.said}
            lab.remove()


def work_while_it_fails(lab: Lab, shim: Shim, kind: str, number: int) -> Worker:
    """Let the service work through one fault, and demand that nothing was lost or doubled."""
    times, error = (FOREVER, errno.ENOSPC) if kind == "full" else (1, errno.EIO)
    shim.arm(lab.folder, number, times, error)
    worker = Worker(lab, shim)
    worker.run()
    shim.disarm()
    assert_whole(lab, reports=2, others=1, garbage=1, mails=lab.sent())
    leftovers = [path.name for path in lab.folder.rglob("*") if path.suffix == ".part"]
    assert not leftovers, leftovers
    return worker


if __name__ == "__main__":
    loop.MIN_INTERVAL = 0.0  # no pause between two looks that find nothing
    place, library, what, every = sys.argv[1:]
    for line in main(Path(place), Shim(library), what, int(every)):
        print(json.dumps(line), flush=True)
