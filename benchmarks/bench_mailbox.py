"""How fast a mailbox is worked off: from a real Dovecot to committed, detected and filed.

BOUNCE_WATCH_MAILS sets how many mails lie there (20,000 unless told). Processor time stands beside the rate,
for it is the same on a busy machine: ours, that of the process that takes mails apart, and Dovecot's.
`--against DIR` lets the programs of this and of another checkout work off the same mails in turn.
The server is set up for large folders: of 100,000 mails in a Maildir it else takes 5 ms for each to look
through the folder again and again, four times as much as we take for all.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import alternating  # noqa: E402
from held import held  # noqa: E402
from synthetic import make_feed  # noqa: E402

from bounce_watch.config.load import read_config  # noqa: E402
from bounce_watch.pipeline import Context, CycleResult, open_context, run_cycle  # noqa: E402
from bounce_watch.source import Source, open_source  # noqa: E402
from bounce_watch.store import open_store  # noqa: E402
from tests.pipeline.conftest import CONFIG  # noqa: E402
from tests.servers.dovecot import PASSWORD, Dovecot  # noqa: E402
from tests.source.places import imap_settings  # noqa: E402
from tests.store.committed import committed  # noqa: E402

NUMBER = int(os.environ.get("BOUNCE_WATCH_MAILS", "20000"))
_TICKS = os.sysconf("SC_CLK_TCK")


def load_samples() -> list[bytes]:
    """Return our own samples of reports."""
    return [path.read_bytes() for path in sorted((ROOT / "tests" / "samples").glob("*/*.eml"))]


def fill(dovecot: Dovecot, messages: Iterable[bytes]) -> int:
    """Write messages into the watched Maildir; return how many."""
    inbox = dovecot.root / "mail" / "bounces"
    for part in ("new", "cur", "tmp"):
        (inbox / part).mkdir(parents=True, exist_ok=True)
    number = 0
    for number, message in enumerate(messages, 1):
        (inbox / "new" / f"{number:08}.host").write_bytes(message)
    dovecot.hand_over()
    return number


@contextmanager
def opened(dovecot: Dovecot, folder: Path) -> Iterator[tuple[Context, Source]]:
    """A context with a new store and its mailbox on the server."""
    config = read_config(CONFIG.encode(), folder / "config.toml")
    source = open_source(imap_settings(dovecot, timeout_seconds=600), lambda: PASSWORD)
    with open_store(config.store.path) as store:
        committed(store).state.start_run(datetime.now(UTC))
        context = open_context(config, store)
        try:
            with source:
                yield context, source
        finally:
            context.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Seconds: on the clock, of our processor, of the reading process, of the server."""

    wall: float
    ours: float
    reading: float
    server: float


class Memory:
    """What this process held after a tenth of the mails, and what it holds, in MB."""

    def __init__(self, number: int) -> None:
        self.early = 0.0
        self._left = max(1, number // 10)

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            self.early = held("VmRSS")


def work_off(dovecot: Dovecot, folder: Path, memory: Memory) -> tuple[CycleResult, Taken]:
    """Run one cycle without sending, and tell what it took."""
    before, server, start = (
        resource.getrusage(resource.RUSAGE_SELF),
        dovecot.cpu_seconds(),
        time.perf_counter(),
    )
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    with opened(dovecot, folder) as (context, source):
        result = run_cycle(context, source, None, progress=memory.step)
        wall, server = time.perf_counter() - start, dovecot.cpu_seconds() - server
    after, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return result, Taken(wall=wall, ours=_cpu(before, after), reading=_cpu(children, ended), server=server)


def _cpu(before: resource.struct_rusage, after: resource.struct_rusage) -> float:
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--against", type=Path, metavar="DIR", help="a checkout with its .venv")
    options.add_argument("--rounds", type=int, default=5, help="turns of each with --against")
    chosen = options.parse_args()
    if chosen.against:
        feed = list(make_feed(load_samples(), NUMBER))
        alternating.compare(chosen.against, lambda dovecot: fill(dovecot, feed), chosen.rounds)
    else:
        measure()


def measure() -> None:
    with Dovecot(large=True) as dovecot, tempfile.TemporaryDirectory() as folder:
        number = fill(dovecot, make_feed(load_samples(), NUMBER))
        memory = Memory(number)
        result, taken = work_off(dovecot, Path(folder), memory)
        each = 1000 / number
        print(
            f"{number:,} mails in {taken.wall:.1f} s: {number / taken.wall:,.0f} a second; "
            f"processor time of each: {taken.ours * each:.2f} ms ours, {taken.reading * each:.2f} ms "
            f"reading, {taken.server * each:.2f} ms Dovecot"
        )
        print(f"memory: {memory.early:.1f} MB after a tenth of them, {held('VmRSS'):.1f} MB after all")
        print(f"{result.bounces:,} bounces, {len(result.opened)} incidents, {result.kinds}")


if __name__ == "__main__":
    main()
