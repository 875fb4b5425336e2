"""One process works with a store; the next is told which."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bounce_watch.store import LockHeld, ProcessLock, StoreNotWritable, find_holder

HOLD = """
import sys, time
from pathlib import Path
from bounce_watch.store import ProcessLock
with ProcessLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock, and wait until it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.slow
def test_a_second_process_gets_the_name_of_the_first(path: Path) -> None:
    """The kernel frees the lock at kill -9, and the store is free at once."""
    first = hold(path)
    try:
        assert find_holder(path) == first.pid
        with pytest.raises(LockHeld, match=str(first.pid)) as caught, ProcessLock(path):
            pytest.fail("two processes hold one lock")
        assert caught.value.pid == first.pid
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    assert find_holder(path) is None
    with ProcessLock(path):
        assert find_holder(path) == os.getpid()


def test_the_lock_is_free_after_the_block(path: Path) -> None:
    with ProcessLock(path) as lock:
        assert lock.path.read_text() == f"{os.getpid()}\n"
        assert lock.path.stat().st_mode & 0o777 == 0o600
    assert find_holder(path) is None
    with ProcessLock(path):
        pass


def test_a_lock_that_cannot_be_written_is_a_clear_fault(tmp_path: Path) -> None:
    (tmp_path / "store.db.lock").mkdir()
    with pytest.raises(StoreNotWritable, match="lock"), ProcessLock(tmp_path / "store.db"):
        pass


def test_nobody_holds_a_lock_that_was_never_made(path: Path) -> None:
    assert find_holder(path) is None
