"""Two and five services on one store file: one works, the others say who does; readers never wait in vain."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.conftest import CONFIG, ndr

REPORTS = 20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.about_files("its lock; several work at a server: tests/endtoend/test_watchers.py"),
]


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bounce_watch", "-c", str(home / "config.toml"), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "120"},
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mailbox" / name).mkdir(parents=True)
    limits = "settle_seconds = 0\nper_minute = 10000\nper_hour = 10000\nhold_backlog_over = 1000"
    text = CONFIG.replace("settle_seconds = 0", limits + "\nnot_older_than_hours = 100000")
    (tmp_path / "config.toml").write_text(text + "[run]\nisolate = false\npoll_seconds = 1\n")
    return tmp_path


def deliver(home: Path, numbers: range) -> None:
    for number in numbers:
        aside = home / "mailbox" / "tmp" / f"{number}.a"
        aside.write_bytes(ndr(f"c{number}@larkfield.example", number=number))
        aside.rename(home / "mailbox" / "new" / f"{number}.a")


def done(home: Path) -> tuple[int, int]:
    """Return how many reports are filed and how many answers were sent."""
    return len(list(home.glob("mailbox/.Filed/*/*"))), len(list(home.glob("sent/*-reply.eml")))


def wait_for_one_that_works(services: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """Return the one service that is left once all others have ended."""
    deadline = time.monotonic() + 60
    while len(alive := [service for service in services if service.poll() is None]) > 1:
        assert time.monotonic() < deadline, f"{len(alive)} services are alive"
        time.sleep(0.05)
    (one,) = alive
    return one


@pytest.mark.parametrize("count", [2, pytest.param(5, marks=pytest.mark.proof)])
def test_one_of_several_works_and_the_others_name_it(home: Path, count: int) -> None:
    """They end with 75, so that systemd takes over when the first has gone; nothing is done twice."""
    deliver(home, range(1, REPORTS // 2 + 1))
    services = [start(home, "run") for _ in range(count)]
    try:
        one = wait_for_one_that_works(services)
        for other in services:
            if other is not one:
                _, words = other.communicate(timeout=10)
                assert other.returncode == 75, words
                assert f"process {one.pid}" in words
        readers = [start(home, *words) for words in (["history"], ["stats"])]
        deliver(home, range(REPORTS // 2 + 1, REPORTS + 1))
        for reader in readers:
            _, words = reader.communicate(timeout=60)
            assert reader.returncode == 0, words
            assert "locked" not in words
        deadline = time.monotonic() + 60
        while min(done(home)) < REPORTS:
            assert time.monotonic() < deadline, f"{done(home)} of {REPORTS} are done"
            time.sleep(0.05)
    finally:
        for service in services:
            if service.poll() is None:
                service.send_signal(signal.SIGTERM)
    _, log = one.communicate(timeout=15)
    assert one.returncode == 0, log
    assert "locked" not in log
    replies = [path.read_bytes() for path in (home / "sent").glob("*-reply.eml")]
    recipients = [line for mail in replies for line in mail.splitlines() if line.startswith(b"To: ")]
    assert len(recipients) == len(set(recipients)) == REPORTS
