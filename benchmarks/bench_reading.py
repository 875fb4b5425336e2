"""How fast mail is read and judged, beside two readers that only take it apart.

The same bytes go through all three in each round; the figures are medians, so a busy machine disturbs
one round and not the result. Compare ratios, not seconds: machines differ.
"""

import email
import logging
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import mailparser

from bounce_watch import resources
from bounce_watch.classify import Catalogue, judge, load_catalogue
from bounce_watch.model import Report
from bounce_watch.parse import read

ROOT = Path(__file__).parent.parent
SAMPLES = {
    "our samples": (ROOT / "tests" / "samples", ROOT / "data" / "demo"),
    "public samples": (ROOT.parent / "shared" / "corpus",),
}
ROUNDS = 7


def load(folders: Sequence[Path]) -> list[bytes]:
    return [path.read_bytes() for folder in folders for path in sorted(folder.rglob("*.eml"))]


def read_and_judge(raw: bytes, catalogue: Catalogue) -> None:
    """Do what the service does with a message before it touches the store."""
    for reading in read(raw):
        if isinstance(reading, Report):
            judge(reading, catalogue, None)


def take_apart_email(raw: bytes) -> None:
    for part in email.message_from_bytes(raw).walk():
        part.get_payload(decode=True)


def take_apart_mailparser(raw: bytes) -> None:
    """Read with mail-parser, which refuses what does not look like mail."""
    try:
        _ = mailparser.parse_from_bytes(raw).body
    except Exception:  # noqa: BLE001 - what it refuses costs time too
        return


def seconds(action: Callable[[bytes], object], messages: Sequence[bytes]) -> float:
    start = time.perf_counter()
    for raw in messages:
        action(raw)
    return time.perf_counter() - start


def compare(messages: Sequence[bytes], catalogue: Catalogue) -> dict[str, float]:
    """Return the median seconds of each reader; the first round only warms up."""
    readers: dict[str, Callable[[bytes], object]] = {
        "bounce_watch: read and judge": lambda raw: read_and_judge(raw, catalogue),
        "email.message_from_bytes, walked": take_apart_email,
        "mail-parser": take_apart_mailparser,
    }
    rounds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(ROUNDS + 1):
        for name, action in readers.items():
            rounds[name].append(seconds(action, messages))
    return {name: statistics.median(times[1:]) for name, times in rounds.items()}


def show(title: str, messages: Sequence[bytes], figures: dict[str, float]) -> None:
    ours = next(iter(figures.values()))
    volume = sum(map(len, messages)) / 1e6
    print(f"{title}: {len(messages)} messages, {volume:.1f} MB, median of {ROUNDS} rounds")
    for name, taken in figures.items():
        print(f"  {name:34} {len(messages) / taken:8.0f} messages/s   {taken / ours:5.2f} x our time")


def main() -> int:
    warnings.simplefilter("ignore")
    logging.disable()  # mail-parser names every part that it does not handle
    catalogue = load_catalogue(resources.data_file("codes.toml").read_text(encoding="utf-8"))
    for title, folders in SAMPLES.items():
        messages = load([folder for folder in folders if folder.is_dir()])
        if messages:
            show(title, messages, compare(messages, catalogue))
        else:
            print(f"{title}: none here, left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
