"""How many messages a second go from Maildirs into the store: a file, a server, one watcher and two.

The server is a throw-away PostgreSQL on this machine that waits for its disk as a real one does.
BOUNCE_WATCH_MESSAGES sets how many each watcher reads (1,000 unless told). Ratios to the file, measured in
the same run, say more than the rates.
"""

import multiprocessing
import os
import sys
import tempfile
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bounce_watch.cli.common.open_store import run_context  # noqa: E402
from bounce_watch.config.load import load_config  # noqa: E402
from bounce_watch.pipeline import CycleResult, check_mailbox  # noqa: E402
from bounce_watch.source import open_source  # noqa: E402
from tests.pipeline.conftest import CONFIG, START, ndr  # noqa: E402
from tests.servers.postgres import Postgres  # noqa: E402

EACH = int(os.environ.get("BOUNCE_WATCH_MESSAGES", "1000"))


def fill(mailbox: Path, first: int) -> None:
    for name in ("cur", "new", "tmp"):
        (mailbox / name).mkdir(parents=True)
    for number in range(first, first + EACH):
        content = ndr(
            f"p{number % 400}@larkfield.example", f"x@d{number % 300}.example", number=number, at=START
        )
        (mailbox / "new" / f"{number}.a").write_bytes(content)


def watch(config: Path, ready: Barrier) -> float:
    """Read all that lies in one mailbox; return the seconds it took."""
    settings = load_config(config)
    with run_context(settings) as context, open_source(settings.source[0], lambda: "") as source:
        ready.wait()
        began = time.monotonic()
        check_mailbox(context, source, CycleResult())
        return time.monotonic() - began


def _watch(config: Path, ready: Barrier, seconds: "multiprocessing.Queue[float]") -> None:
    seconds.put(watch(config, ready))


def measure(folder: Path, store: str, mailboxes: list[Path]) -> float:
    """Return the messages a second of all watchers together, one for each entry of `mailboxes`."""
    folder.mkdir()
    for number, mailbox in enumerate(dict.fromkeys(mailboxes)):
        fill(mailbox, number * EACH)
    ready = multiprocessing.Barrier(len(mailboxes))
    seconds: multiprocessing.Queue[float] = multiprocessing.Queue()
    processes = []
    for number, mailbox in enumerate(mailboxes):
        text = CONFIG.replace('path = "store.db"', store).replace('path = "mailbox"', f'path = "{mailbox}"')
        config = folder / f"{number}.toml"
        config.write_text(text.replace('mode = "on"', 'mode = "off"'))
        processes.append(multiprocessing.Process(target=_watch, args=(config, ready, seconds)))
        processes[-1].start()
    slowest: float = max(seconds.get() for _ in processes)
    for process in processes:
        process.join()
    return float(EACH * len(set(mailboxes)) / slowest)


def main() -> None:
    with tempfile.TemporaryDirectory() as place, Postgres(fsync="on", full_page_writes="on") as server:
        root = Path(place)
        file = measure(root / "a", 'path = "store.db"', [root / "a/box"])
        print("| store and watchers | messages a second | beside the file |\n|---|---|---|")
        print(f"| SQLite, one watcher | {file:.0f} | 1.00 |", flush=True)
        for name, boxes in (
            ("PostgreSQL, one watcher", ["box"]),
            ("PostgreSQL, two watchers, two mailboxes", ["box-a", "box-b"]),
            ("PostgreSQL, two watchers, one mailbox", ["box", "box"]),
        ):
            folder, url = root / name, server.url(server.database())
            rate = measure(folder, f'url = "{url}"', [folder / box for box in boxes])
            print(f"| {name} | {rate:.0f} | {rate / file:.2f} |", flush=True)


if __name__ == "__main__":
    main()
