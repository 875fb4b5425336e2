"""The service: it works until it is told to stop, and says so to systemd."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bounce_watch.daemon import LONGEST_PAUSE, back_off
from tests.pipeline.conftest import CONFIG, ndr


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mailbox" / name).mkdir(parents=True)
    (tmp_path / "config.toml").write_text(CONFIG + "[run]\npoll_seconds = 1\n")
    return tmp_path


def start(home: Path, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bounce_watch", "-c", str(home / "config.toml"), "run"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )


def wait_for(found: object, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not found():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_mail_that_arrives_is_read_and_sigterm_ends_the_service_cleanly(home: Path) -> None:
    service = start(home)
    try:
        wait_for((home / "store.db").exists)
        aside = home / "mailbox" / "tmp" / "1.a"
        aside.write_bytes(ndr())
        aside.rename(home / "mailbox" / "new" / "1.a")
        wait_for(lambda: list(home.glob("mailbox/.Filed/*/*")))
    finally:
        service.send_signal(signal.SIGTERM)
        _, log = service.communicate(timeout=10)
    assert service.returncode == 0
    assert "started" in log
    assert "1 new mails" in log
    assert "stopped" in log


def test_systemd_hears_that_we_are_ready_alive_and_stopping(home: Path) -> None:
    address = home / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.settimeout(30)
        service = start(home, NOTIFY_SOCKET=str(address))
        heard = [listener.recv(500).decode()]
        heard.append(listener.recv(500).decode())
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=10)
        while not heard[-1].startswith("STOPPING"):
            heard.append(listener.recv(500).decode())
    assert heard[0] == "READY=1"
    assert heard[1].startswith("WATCHDOG=1\nSTATUS=")


def test_a_mailbox_that_is_away_is_waited_for(home: Path) -> None:
    text = CONFIG.replace(
        'type = "maildir"\npath = "mailbox"', 'type = "imap"\nhost = "localhost"\nport = 1\nuser = "u"'
    )
    (home / "config.toml").write_text(text)
    service = start(home, BOUNCE_WATCH_IMAP_PASSWORD="x")
    time.sleep(3)
    assert service.poll() is None
    service.send_signal(signal.SIGTERM)
    _, log = service.communicate(timeout=10)
    assert service.returncode == 0
    assert "cycle_failed" in log


def test_pauses_grow_and_stay_below_the_watchdog() -> None:
    pauses = [back_off(faults) for faults in range(1, 40)]
    assert 3 < pauses[0] < 7
    assert max(pauses) <= LONGEST_PAUSE * 1.2 < 15 * 60
