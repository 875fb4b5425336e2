"""How soon new mail is found in a mailbox of a million, and what memory that takes, with a real Dovecot.

BOUNCE_WATCH_MAILS sets how many mails lie there for good (a million unless told); the store knows them, as
after months of service. The mailbox is one mbox file: a million Maildir files measure the disk.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench_mailbox import opened  # noqa: E402
from held import held  # noqa: E402
from sqlmodel import insert  # noqa: E402

from bounce_watch.pipeline import House  # noqa: E402
from bounce_watch.pipeline.cycle import look  # noqa: E402
from bounce_watch.pipeline.result import CycleResult  # noqa: E402
from bounce_watch.source import Source  # noqa: E402
from bounce_watch.store import Cursor, MessageState, tables  # noqa: E402
from tests.pipeline.conftest import ndr  # noqa: E402
from tests.servers.dovecot import Dovecot  # noqa: E402

NUMBER = int(os.environ.get("BOUNCE_WATCH_MAILS", "1000000"))
_CHUNK = 20_000
_MAIL = (
    b"From ann@fabrikam.example Mon Sep 21 14:13:20 2026\n"
    b"From: ann@fabrikam.example\nTo: all@contoso.example\nSubject: News %d\n"
    b"Message-ID: <%d@fabrikam.example>\n\nGood morning.\n\n"
)


def fill(dovecot: Dovecot, number: int) -> None:
    """Write an mbox file."""
    home = dovecot.root / "home" / "bounces"
    home.mkdir(parents=True)
    with (home / "inbox").open("wb") as file:
        for first in range(1, number + 1, _CHUNK):
            numbers = range(first, min(first + _CHUNK, number + 1))
            file.write(b"".join(_MAIL % (one, one) for one in numbers))
    dovecot.hand_over()


def know(house: House, source: Source, number: int) -> None:
    """Let the store know all that lies there, as left, by a run before this one."""
    newest = next(source.messages(lambda places: places[-1:]))
    validity, now = newest.locator.validity, house.clock()
    fixed = {"mailbox": source.name, "validity": validity, "seen_at": now, "state": MessageState.LEFT}
    for first in range(1, number + 1, _CHUNK):
        rows = [
            {**fixed, "uid": str(uid), "attempts": 0} for uid in range(first, min(first + _CHUNK, number + 1))
        ]
        with house.store.transaction() as tx:
            tx._rows.connection().execute(insert(tables.Message), rows)
    yesterday = now - timedelta(hours=1)
    with house.store.transaction() as tx:
        tx.note_cursor(source.name, Cursor(validity=validity, uid=str(number), whole_at=yesterday))


def timed(what: str, do: Callable[[], CycleResult]) -> CycleResult:
    start, processor = time.perf_counter(), time.process_time()
    result = do()
    print(
        f"{what:<44} {time.perf_counter() - start:7.2f} s, {time.process_time() - processor:6.2f} s of our "
        f"processor, {result.bounces} bounces, peak {held('VmHWM'):.0f} MB"
    )
    return result


def looked(house: House, source: Source) -> CycleResult:
    result = CycleResult()
    look(house, source, result)
    return result


def main() -> None:
    with Dovecot(store="mbox") as dovecot, tempfile.TemporaryDirectory() as folder:
        fill(dovecot, NUMBER)
        with opened(dovecot, Path(folder)) as (house, source):
            start = time.perf_counter()
            know(house, source, NUMBER)
            print(f"{NUMBER:,} mails, indexed and known after {time.perf_counter() - start:.0f} s")
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
            timed("first look of a run: new, then the whole", lambda: looked(house, source))
            dovecot.append([ndr()])
            timed("a look at one new mail", lambda: looked(house, source))
            timed("a look at nothing new", lambda: looked(house, source))
        with opened(dovecot, Path(folder)) as (house, source):
            dovecot.append([ndr(number=2, at=datetime.now(UTC))])
            found: list[float] = []
            start = time.perf_counter()
            result = CycleResult()
            look(house, source, result, progress=lambda: found.append(time.perf_counter() - start))
            print(f"after a restart one new mail is stored and filed after {found[0]:.2f} s")


if __name__ == "__main__":
    main()
