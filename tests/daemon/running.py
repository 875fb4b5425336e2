"""A running service for tests: start it, read its log, stop it."""

import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.daemon.worker import work
from tests.pipeline.conftest import CONFIG
from tests.servers.kept import FILE
from tests.servers.processes import guard, relieve

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.daemon.worker", "tests.safety.worker"])
MAILDIR = 'type = "maildir"\npath = "mailbox"'
FOLDER = 'type = "folder"\npath = "sent"'


def wait_for(found: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@dataclass
class Running:
    """A folder with a configuration, a Maildir and a store, and the process that works there."""

    folder: Path
    source: str = MAILDIR
    send: str = FOLDER
    stop_seconds: float = 0.5
    environ: dict[str, str] = field(default_factory=dict)
    process: BaseProcess | None = None
    guard: subprocess.Popen[bytes] | None = None
    store: str = FILE
    logged: int = 0

    def __post_init__(self) -> None:
        for name in ("cur", "new", "tmp"):
            (self.folder / "mailbox" / name).mkdir(parents=True, exist_ok=True)
        self.write()

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def write(self) -> None:
        # The service uses the real time: a digest due at 23:30 would disturb tests that run then.
        text = CONFIG.replace('at = "23:30:00"', 'at = "23:59:59"')
        text = text.replace(MAILDIR, self.source).replace(FOLDER, self.send)
        text = text.replace(FILE, self.store)
        self.config.write_text(f"{text}[run]\npoll_seconds = 60\nstop_seconds = {self.stop_seconds}\n")

    def start(self, *arguments: str) -> "Running":
        self._relieve()
        self.logged = len(self.log())
        told = ["-c", str(self.config), "run", *arguments]
        self.process = FORKS.Process(target=work, args=(told, self.environ, self.folder / "log"))
        self.process.start()
        self.guard = guard(self.pid)
        return self

    @property
    def pid(self) -> int:
        assert self.process is not None
        assert self.process.pid is not None
        return self.process.pid

    def wait_until_started(self) -> None:
        """Wait until the first poll since the last start is over, so that later mail is not backlog."""
        wait_for(lambda: "watching" in self.log()[self.logged :])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Stop the service, assert exit status 0, and return how many seconds it took."""
        began = time.monotonic()
        os.kill(self.pid, number)
        assert self.end() == 0, self.log()
        return time.monotonic() - began

    def end(self) -> int | None:
        assert self.process is not None
        self.process.join(60)
        if self.process.exitcode is not None:
            self._relieve()
        return self.process.exitcode

    def close(self) -> None:
        if self.process is not None and self.process.is_alive():
            self.process.kill()
            self.process.join()
        self._relieve()

    def _relieve(self) -> None:
        if self.guard is not None:
            relieve(self.guard)
        self.guard = None

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def deliver(self, content: bytes, name: str, mailbox: str = "mailbox") -> None:
        aside = self.folder / mailbox / "tmp" / name
        aside.write_bytes(content)
        aside.rename(self.folder / mailbox / "new" / name)

    def filed(self) -> list[Path]:
        return list(self.folder.glob("mailbox/.Filed/cur/*"))
