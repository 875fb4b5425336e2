"""A service that can be killed at any moment, and what must hold afterwards."""

import multiprocessing
import os
import re
import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from bounce_watch.config.service import Run
from tests.pipeline.conftest import ndr
from tests.servers.kept import InFile, Kept

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BEYOND_THE_GRACE = 11
KILLED = -9

# Mail is read in the killed process itself; tests/sandbox covers reading in a child process.
_RUN = "[run]\nisolate = false\n" if "isolate" in Run.model_fields else ""
CONFIG = (
    """
[organisation]
name = "Larkfield"
accepted_domains = ["larkfield.example"]
support = "phone 4455"
admins = ["mailadmin@larkfield.example"]
[source]
{source}
[send]
{send}
[store]
{store}
[reply]
mode = "on"
from_address = "{address}"
settle_seconds = 0
hold_backlog_over = 100000
per_minute = 100000
per_hour = 100000
[digest]
at = "00:00:00"
"""
    + _RUN
)
MAILDIR = 'type = "maildir"\npath = "mailbox"'
FOLDER = 'type = "folder"\npath = "sent"'
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.safety.worker"])
_OWN_ID = re.compile(rb"^X-Bounce-Watch-ID: (\S+)\r$", re.MULTILINE)
_KIND = re.compile(rb"^X-Bounce-Watch-Kind: (\S+)\r$", re.MULTILINE)


def report(number: int) -> bytes:
    """Return a report about one sender of many; no rule fires on several of them."""
    return ndr(f"colleague{number}@larkfield.example", f"nobody@firm{number}.example", number=number)


@dataclass
class Lab:
    """A Maildir, a store and a sender in one folder. `minutes` is how far its clock has advanced."""

    folder: Path
    source: str = MAILDIR
    send: str = FOLDER
    minutes: int = 0
    delivered: int = 0
    address: str = "bounces@larkfield.example"
    ended: Counter[int | None] = field(default_factory=Counter)
    store: Kept | None = None

    def __post_init__(self) -> None:
        for name in ("cur", "new", "tmp"):
            (self.folder / "mailbox" / name).mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "config.toml"
        self.at = self.store or InFile(self.folder)
        parts = {"source": self.source, "send": self.send, "address": self.address, "store": self.at.line}
        self.config.write_text(CONFIG.format(**parts))
        self.config.chmod(0o600)

    def deliver(self, content: bytes) -> None:
        self.delivered += 1
        path = self.folder / "mailbox" / "new" / f"{self.delivered}.mail"
        path.write_bytes(content)
        moment = (START + timedelta(minutes=self.minutes)).timestamp()
        os.utime(path, (moment, moment))

    def start(self, aim: str | None = None, cycles: int = 1) -> BaseProcess:
        """Start a process that runs cycles and is killed at the crash point `aim`."""
        from tests.safety.worker import work

        process = FORKS.Process(target=work, args=(self.config, self.minutes, aim, cycles))
        process.start()
        return process

    def run(self, aim: str | None = None) -> int | None:
        """Run one cycle to its end or to the crash point; return the exit status."""
        process = self.start(aim)
        process.join(900)
        self.ended[process.exitcode] += 1
        assert process.exitcode in {0, KILLED}, f"exit status {process.exitcode}"
        return process.exitcode

    def kill_after(self, seconds: float) -> None:
        """Run cycles without end and kill the process after this many seconds."""
        process = self.start(cycles=1_000_000)
        time.sleep(seconds)
        process.kill()
        process.join(10)
        self.ended[process.exitcode] += 1

    def finish(self) -> None:
        """Run a cycle now, and another when every grace period is over."""
        for _ in range(2):
            self.minutes += BEYOND_THE_GRACE
            assert self.run() == 0

    def inbox(self) -> set[str]:
        return {
            path.name.partition(":")[0] for name in ("new", "cur") for path in self._in(f"mailbox/{name}")
        }

    def filed(self) -> set[str]:
        return {path.name.partition(":")[0] for path in self._in("mailbox/.Filed/cur")}

    def quarantined(self) -> set[str]:
        return {path.name.partition(":")[0] for path in self._in("mailbox/.Quarantine/cur")}

    def _in(self, name: str) -> list[Path]:
        folder = self.folder / name
        return list(folder.iterdir()) if folder.exists() else []

    def sent(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.folder / "sent").glob("*.eml"))]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.at.ask(query)

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    def copy(self, folder: Path) -> "Lab":
        """Return a copy of this lab in another folder."""
        shutil.copytree(self.folder, folder)
        store = self.at.copy(folder)
        return Lab(folder, self.source, self.send, self.minutes, self.delivered, store=store)


def kinds(mails: list[bytes]) -> Counter[str]:
    return Counter(match[1].decode() for mail in mails if (match := _KIND.search(mail)))


def repeated(mails: list[bytes]) -> list[bytes]:
    """Return the X-Bounce-Watch-IDs that more than one mail carries."""
    counted = Counter(match[1] for mail in mails if (match := _OWN_ID.search(mail)))
    assert counted.total() == len(mails), "a mail of ours without its id"
    return [own_id for own_id, count in counted.items() if count > 1]


def assert_whole(lab: Lab, *, reports: int, others: int, garbage: int, mails: list[bytes]) -> None:
    """Assert that nothing was lost, nothing was done twice, and the store is intact."""
    lab.at.assert_sound()
    assert len(lab.filed()) == reports
    assert len(lab.quarantined()) == garbage
    assert len(lab.inbox()) == others
    assert lab.ask("SELECT state, count(*) FROM message GROUP BY state ORDER BY state") == [
        row for row in (("filed", reports), ("left", others), ("quarantined", garbage)) if row[1]
    ]
    assert lab.ask("SELECT count(*), count(DISTINCT fingerprint) FROM report") == [(reports, reports)]
    assert repeated(mails) == []
    assert kinds(mails) == {"reply": reports, "digest": 1}
    assert lab.ask("SELECT DISTINCT state FROM outgoing") == [("sent",)]
