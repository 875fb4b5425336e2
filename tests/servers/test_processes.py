"""Servers that tests start end with the tests, even when those are killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon.running import wait_for
from tests.servers.processes import end, guard, relieve, start

# A server with a child in its group, started by tests that are killed before they end anything.
_TESTS = """
import sys
from pathlib import Path
from tests.servers.processes import start
with open("/dev/null", "wb") as log:
    print(start(["/bin/sh", "-c", "sleep 600 & sleep 600"], log, Path(sys.argv[1])).pid, flush=True)
sys.stdin.read()
"""


def _members(group: int) -> list[Path]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = path.read_text().rpartition(") ")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            found.append(path)
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_a_server_ends_with_the_tests_that_were_killed(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    command = [sys.executable, "-c", _TESTS, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tests:
        assert tests.stdout is not None
        group = int(tests.stdout.readline())
        wait_for(lambda: len(_members(group)) >= 2)
        tests.send_signal(number)
        assert tests.wait() == -number
    wait_for(lambda: not _members(group), seconds=10)
    wait_for(lambda: not folder.exists(), seconds=10)


def test_a_server_that_was_ended_leaves_no_guard(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        server = start(["/bin/sleep", "600"], log, tmp_path)
    try:
        wait_for(lambda: f"\0guard\0-{server.pid}\0" in _commands())
    finally:
        end(server)
    assert server.poll() is not None
    assert f"\0guard\0-{server.pid}\0" not in _commands()
    assert tmp_path.exists()


def test_a_guard_that_is_relieved_kills_nobody() -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as watched:
        relieve(guard(watched.pid))
        answer, _ = watched.communicate(b"still here", timeout=10)
    assert answer == b"still here"


def _commands() -> str:
    told = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            told.append(path.read_text(errors="replace"))
        except OSError:
            continue
    return "\n".join(told)
