"""Reading processes that begin as a copy: tried in a program of its own, for a copy wants one thread only."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import os, threading
from contextlib import closing
from pathlib import Path
from bounce_watch.sandbox import pool
from bounce_watch.sandbox.fork import ForkedProcess, can_fork
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.outcome import Limits, Overrun
from bounce_watch.sandbox.reader import IsolatedReader
from bounce_watch.sandbox.jobs import Job
from tests.pipeline.conftest import ndr

pool.HERE_SECONDS, pool.BATCH_MESSAGES = 0, 3


def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def command_of(process):
    return Path(f"/proc/{process}/cmdline").read_text()

{body}
"""


def run(body: str) -> str:
    """Return what a program prints. It must leave no process behind."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.replace("{body}", body)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_copies_read_like_others_in_order_and_are_gone_afterwards() -> None:
    out = run("""
requests = [ReadRequest(str(number), ndr(number=number)) for number in range(300)]
with closing(pool.in_order(requests, lambda one: one, Job.LINES, jobs=3)) as answers:
    first = next(answers)
    print(len(children()), {command_of(child) for child in children()} == {command_of("self")})
    print([letter.name for letter, _ in [first, *answers]] == [letter.name for letter in requests])
print(children())
""")
    assert out.split("\n") == ["2 True", "True", "[]", ""]


def test_a_copy_has_nothing_open_but_its_channel() -> None:
    """The files, sockets and terminals of the caller are none of a message's business."""
    out = run("""
kept = os.open("/proc/self/status", os.O_RDONLY)
with closing(IsolatedReader()) as reader:
    pid = reader.start(forked=True)._popen.pid
    places = {os.readlink(place).split(":")[0] for place in Path(f"/proc/{pid}/fd").iterdir()}
    print(sorted(places), type(reader.start()._popen) is ForkedProcess)
""")
    assert out == "['/dev/null', 'socket'] True\n"


def test_a_message_that_overruns_ends_its_copy_and_no_other_reading() -> None:
    """What begins again then begins as a process of its own."""
    out = run("""
heavy = ReadRequest("heavy", b"From: a@b.example\\n\\n" + b"x" * 60_000_000)
limits = Limits(memory_bytes=50 * 1024 * 1024, wall_seconds=20)
with closing(IsolatedReader(limits=limits)) as reader:
    reader.start(forked=True)
    answers = reader.ask([ReadRequest("1", ndr()), heavy, ReadRequest("2", ndr())])
    print([isinstance(one, Overrun) for one in answers], type(reader.start()._popen) is ForkedProcess)
""")
    assert out == "[False, True, False] False\n"


def test_with_a_second_thread_nothing_is_copied() -> None:
    out = run("""
halt = threading.Event()
print(can_fork())
other = threading.Thread(target=halt.wait)
other.start()
print(can_fork())
requests = [ReadRequest(str(number), ndr(number=number)) for number in range(600)]
with closing(pool.in_order(requests, lambda one: one, Job.LINES, jobs=2)) as answers:
    print(sum(1 for _ in answers))
halt.set()
""")
    assert out == "True\nFalse\n600\n"
