"""How fast mail is read and judged, from bytes to bounces, beside readers that only take it apart.

The same bytes go through all readers in each round, one after the other; figures are medians, so a busy
machine disturbs a round and not the result. Compare ratios, not seconds: machines differ. Before each turn
our reader forgets what it kept of other messages.
"""

import argparse
import logging
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import memory
from readers import ALONE, KEPT, OURS, READERS, SLOW, bounces_of, forget
from synthetic import make_feed

ROOT = Path(__file__).parent.parent
OUR_SAMPLES = (ROOT / "tests" / "samples", ROOT / "data" / "demo")
PUBLIC_SAMPLES = (
    ROOT.parent / "shared" / "corpus" / "set-of-emails",
    ROOT.parent / "shared" / "corpus" / "flufl",
)
LARGE = 1000


@dataclass(slots=True)
class Times:
    """Seconds a message of each round: on the clock, and of all processors."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def load(folders: Sequence[Path]) -> list[bytes]:
    paths = (path for folder in folders if folder.is_dir() for path in sorted(folder.rglob("*.*")))
    return [path.read_bytes() for path in paths if path.suffix in (".eml", ".txt")]


def cpu() -> float:
    """Return the processor time of this process and of those that it has ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def take(reader: Callable[[Sequence[bytes]], None], messages: Sequence[bytes], times: Times) -> None:
    wall, processor = time.perf_counter(), cpu()
    reader(messages)
    times.wall.append((time.perf_counter() - wall) / len(messages))
    times.cpu.append((cpu() - processor) / len(messages))


def compare(messages: Sequence[bytes], rounds: int) -> dict[str, Times]:
    """Return the times of each reader; a round before the first only warms up."""
    times = {name: Times() for name in READERS}
    for number in range(rounds + 1):
        for name, reader in READERS.items():
            forget()
            part = messages[::10] if name in SLOW and len(messages) > LARGE else messages
            take(reader, part, times[name] if number else Times())
    return times


def show(title: str, messages: Sequence[bytes], times: dict[str, Times]) -> None:
    volume = sum(map(len, messages)) / 1e6
    print(f"\n{title}: {len(messages)} messages, {volume:.1f} MB, median of {len(times[OURS].wall)} rounds")
    print(f"  {'':40} messages/s  wall: x the speed of email alone (least-most)   processor time")
    for name, own in times.items():
        ratios = [alone / mine for alone, mine in zip(times[ALONE].wall, own.wall, strict=True)]
        processor = statistics.median(a / m for a, m in zip(times[ALONE].cpu, own.cpu, strict=True))
        print(
            f"  {name:40} {1 / statistics.median(own.wall):10.0f}  {statistics.median(ratios):6.2f}"
            f"  ({min(ratios):.2f}-{max(ratios):.2f}) {processor:26.2f}"
        )


def show_kept(messages: Sequence[bytes]) -> None:
    """Tell how often something kept from another message answered, from nothing kept on."""
    forget()
    for raw in messages:
        bounces_of(raw)
    rates = (
        f"{name} {info.hits / max(1, info.hits + info.misses):.0%}"
        for name, info in ((name, kept.cache_info()) for name, kept in KEPT.items())
    )
    print(f"  answered by what was kept: {', '.join(rates)}")


def show_memory(title: str, messages: Sequence[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for number, raw in enumerate(messages):
            Path(folder, f"{number:06}.eml").write_bytes(raw)
        print(f"  memory: {memory.of_path(Path(folder))} ({title}, read as files)")


def show_fidelity(samples: Sequence[bytes], feed: Sequence[bytes]) -> None:
    """Tell how many copies of a sample still read like it: a copy that is no bounce would be cheap."""
    wanted = [[(b.status, b.cause) for b in bounces_of(raw)] for raw in samples]
    found = ([(b.status, b.cause) for b in bounces_of(raw)] for raw in feed)
    same = sum(bounces == wanted[number % len(samples)] for number, bounces in enumerate(found))
    print(f"  {same / len(feed):.1%} of the copies give the statuses and causes of their sample")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--messages", type=int, default=5000, help="size of the feed made on the fly")
    chosen = options.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()  # mail-parser names every part that it does not handle
    public, samples = load(PUBLIC_SAMPLES), load(OUR_SAMPLES)
    feed = list(make_feed(samples, chosen.messages))
    for title, messages in (("public samples", public), ("feed made on the fly", feed)):
        if not messages:
            print(f"{title}: none here, left out")
            continue
        show(title, messages, compare(messages, chosen.rounds))
        show_kept(messages)
        show_memory(title, messages)
    show_fidelity(samples, feed)
    print(f"\na report that returns a mail of 100 MB: {memory.of_large_message()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
