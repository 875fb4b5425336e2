"""How soon the service finds new mail in a mailbox of a million on a real Dovecot, and what memory it takes.

BOUNCE_WATCH_MAILS sets how many mails lie there for good (a million unless told); the store knows them, as
after months of service. Dovecot keeps them as copies of a hundred mails (mdbox), so neither the disk nor its
index is measured.
"""

import contextlib
import json
import os
import signal
import smtplib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from held import held  # noqa: E402
from sqlmodel import insert  # noqa: E402

from bounce_watch.source import open_source  # noqa: E402
from bounce_watch.store import Cursor, MessageState, open_store, tables  # noqa: E402
from tests.daemon.running import Running  # noqa: E402
from tests.daemon.test_latency import processor_seconds  # noqa: E402
from tests.pipeline.conftest import ndr  # noqa: E402
from tests.servers.dovecot import PASSWORD, WATCHED, Dovecot  # noqa: E402
from tests.source.places import imap_settings  # noqa: E402

NUMBER = int(os.environ.get("BOUNCE_WATCH_MAILS", "1000000"))
_CHUNK = 20_000
_BEFORE = timedelta(hours=2)
_SEEDS = 100
_MAIL = (
    b"From: ann@fabrikam.example\r\nTo: all@contoso.example\r\nSubject: News %d\r\n"
    b"Message-ID: <%d@fabrikam.example>\r\n\r\n" + b"Good morning, and nothing else. \r\n" * 25
)


def fill(dovecot: Dovecot, number: int) -> None:
    """Copy a few mails within the mailbox until there are so many."""
    have = min(_SEEDS, number)
    dovecot.append([_MAIL % (one, one) for one in range(have)])
    with dovecot.sign_in() as client:
        client.sock.settimeout(600)
        while have < number:
            client.select("INBOX")
            more = min(have, number - have)
            status, answer = client.copy(f"1:{more}", "INBOX")
            assert status == "OK", answer
            have += more


def know(dovecot: Dovecot, path: Path, number: int) -> None:
    """Let the store know all that lies there, as left, by a run before this one."""
    with open_source(imap_settings(dovecot, timeout_seconds=600), lambda: PASSWORD) as source:
        newest, name = next(source.messages(lambda places: places[-1:])).location, source.name
    now = datetime.now(UTC)
    fixed = {"mailbox": name, "validity": newest.validity, "seen_at": now, "state": MessageState.LEFT}
    with open_store(path) as store:
        for first in range(1, number + 1, _CHUNK):
            uids = range(first, min(first + _CHUNK, number + 1))
            rows = [{**fixed, "uid": str(uid), "attempts": 0} for uid in uids]
            with store.transaction() as tx:
                tx.session.connection().execute(insert(tables.Message), rows)
        cursor = Cursor(validity=newest.validity, uid=str(number), whole_at=now - _BEFORE)
        with store.transaction() as tx:
            tx.mailboxes.note_fetch(now, name)
            tx.mailboxes.note_cursor(name, cursor)


@contextlib.contextmanager
def service(dovecot: Dovecot, folder: Path) -> Iterator[Running]:
    running = Running(
        folder,
        source=f'type = "imap"\nhost = "localhost"\nport = {dovecot.imaps_port}\nuser = "{WATCHED}"\n'
        f'ca_file = "{dovecot.certificates.ca_file}"\n'
        f"password_command = \"printf '%s' '{PASSWORD}'\"",
    )
    try:
        yield running
    finally:
        running.close()


class Finder:
    """Delivers reports, and tells when they are stored and moved."""

    def __init__(self, dovecot: Dovecot, running: Running) -> None:
        self._dovecot, self._running, self._number = dovecot, running, 0

    def seconds(self) -> float:
        """Return how long one new report takes from delivery until it is filed."""
        self._number += 1
        number, person = self._number, f"person{self._number}@larkfield.example"
        report = ndr(person, f"lost{number}@fabrikam.example", number=number, at=datetime.now(UTC))
        with smtplib.LMTP("127.0.0.1", self._dovecot.lmtp_port) as lmtp:
            lmtp.sendmail("", [WATCHED], report)
        began = time.perf_counter()
        _until(lambda: self._filed() >= self._number)
        return time.perf_counter() - began

    def _filed(self) -> int:
        with _asking(self._running) as rows:
            newest = f"SELECT state FROM message WHERE id > {NUMBER}"
            return [state for (state,) in rows.execute(newest)].count(MessageState.FILED.value)


def _asking(running: Running) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(running.folder / "store.db", timeout=60))


def _went_through(running: Running) -> bool:
    """Tell whether the whole folder was gone through in this run."""
    with _asking(running) as rows:
        ((value,),) = rows.execute("SELECT value FROM meta WHERE name LIKE 'cursor:%'")
    return datetime.fromisoformat(json.loads(value)[2]) > datetime.now(UTC) - _BEFORE / 2


def _until(found: Callable[[], bool], seconds: float = 3600) -> float:
    began = time.perf_counter()
    while not found():
        assert time.perf_counter() - began < seconds
        time.sleep(0.02)
    return time.perf_counter() - began


def _told(what: str, seconds: float, running: Running) -> None:
    print(
        f"{what:<62} {seconds:7.2f} s; {processor_seconds(running.pid):6.1f} s of our processor, "
        f"{held('VmRSS', running.pid):.0f} MB, at the peak {held('VmHWM', running.pid):.0f} MB",
        flush=True,
    )


def measure(dovecot: Dovecot, running: Running) -> None:
    began = time.perf_counter()
    running.start()
    finder = Finder(dovecot, running)
    _until(lambda: "started" in running.log())
    _told("a report that lies there at the start", finder.seconds(), running)
    if not _went_through(running):
        _told("a report that comes while the whole folder is gone through", finder.seconds(), running)
    _until(lambda: _went_through(running))
    _told("from the start until all UIDs were compared", time.perf_counter() - began, running)
    taken = sorted(finder.seconds() for _ in range(20))
    _told("20 reports in IDLE, one after another: the longest", taken[-1], running)
    running.stop(signal.SIGTERM)
    began = time.perf_counter()
    running.start()
    _told("started anew: a report is filed after", finder.seconds(), running)
    print(f"that is {time.perf_counter() - began:.2f} s after the start")


def main() -> None:
    with Dovecot(store="mdbox") as dovecot, tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        fill(dovecot, NUMBER)
        filled = time.perf_counter()
        print(f"{NUMBER:,} mails lie in the mailbox after {filled - began:.0f} s", flush=True)
        with service(dovecot, Path(folder)) as running:
            know(dovecot, running.folder / "store.db", NUMBER)
            print(f"the store knows them after {time.perf_counter() - filled:.0f} s", flush=True)
            measure(dovecot, running)


if __name__ == "__main__":
    main()
