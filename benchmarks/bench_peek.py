"""What a journal mailbox with one report in a hundred costs, with and without looking before downloading.

Both work off the same mails from a real Dovecot, once on this machine and once over a line like that to a
data centre. BOUNCE_WATCH_MAILS sets how many mails (600 unless told). Bytes are Dovecot's own count.
"""

import os
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench_mailbox import fill  # noqa: E402
from journal_feed import make_journal  # noqa: E402
from line import Line  # noqa: E402

from bounce_watch.config.load import read_config  # noqa: E402
from bounce_watch.pipeline import CycleResult, open_context, run_cycle  # noqa: E402
from bounce_watch.source import open_source  # noqa: E402
from bounce_watch.store import open_store  # noqa: E402
from tests.pipeline.conftest import CONFIG  # noqa: E402
from tests.servers.dovecot import PASSWORD, Dovecot  # noqa: E402
from tests.source.places import imap_settings  # noqa: E402
from tests.store.committed import committed  # noqa: E402

NUMBER = int(os.environ.get("BOUNCE_WATCH_MAILS", "600"))
ROUND_TRIP = 0.02
RATE = 50e6 / 8
_SENT = re.compile(r"Logged out in=\d+ out=(\d+)")


def reports() -> list[bytes]:
    """Return our own samples that Exchange wrote, as they go over a line."""
    paths = sorted((ROOT / "tests" / "samples").glob("exchange_online/*.eml"))
    return [path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for path in paths]


def work_off(dovecot: Dovecot, port: int, *, peek: bool) -> tuple[CycleResult, float, int]:
    """Take in the mailbox with a new store; return what came of it, the seconds and the bytes sent."""
    before = sent(dovecot)
    with tempfile.TemporaryDirectory() as folder:
        config = read_config(CONFIG.encode(), Path(folder) / "config.toml")
        settings = imap_settings(dovecot, port=port, timeout_seconds=60, peek=peek)
        with open_store(config.store.path) as store:
            committed(store).state.start_run(datetime.now(UTC))
            context = open_context(config, store)
            context.reader.read(b"Subject: started\n\n")
            start = perf_counter()
            with open_source(settings, lambda: PASSWORD) as source:
                result = run_cycle(context, source, None)
            seconds = perf_counter() - start
            context.close()
    return result, seconds, sent(dovecot) - before


def sent(dovecot: Dovecot) -> int:
    """Return how many bytes the server has sent to clients that have signed out."""
    return sum(map(int, _SENT.findall(dovecot.log())))


def main() -> None:
    for place, shaped in (("on this machine", False), ("over a line of 50 Mbit/s, 20 ms", True)):
        whole, looked = (run(shaped, peek=peek) for peek in (False, True))
        if whole[0].kinds != looked[0].kinds or whole[0].bounces != looked[0].bounces:
            sys.exit(f"the results differ: {whole[0]} and {looked[0]}")
        print(
            f"{NUMBER:,} journalled mails, {looked[0].bounces} bounces, {place}: "
            f"{looked[2] / 1e6:.1f} MB instead of {whole[2] / 1e6:.1f} MB ({looked[2] / whole[2]:.0%}), "
            f"{looked[1]:.1f} s instead of {whole[1]:.1f} s ({looked[1] / whole[1]:.0%})"
        )


def run(shaped: bool, *, peek: bool) -> tuple[CycleResult, float, int]:
    """Fill a server of its own: reports are moved away."""
    with Dovecot() as dovecot:
        fill(dovecot, make_journal(reports(), NUMBER))
        if not shaped:
            return work_off(dovecot, dovecot.imaps_port, peek=peek)
        with Line(dovecot.imaps_port, round_trip=ROUND_TRIP, rate=RATE) as line:
            return work_off(dovecot, line.port, peek=peek)


if __name__ == "__main__":
    main()
