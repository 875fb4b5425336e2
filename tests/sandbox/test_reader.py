"""The reading process: the same readings as here, and nothing that a message does reaches us."""

import os
import pickle
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bounce_watch.model import NotAReport, Report, Unreadable
from bounce_watch.parse import read
from bounce_watch.sandbox import frames
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.jobs import Job
from bounce_watch.sandbox.outcome import Limit, Limits, Overrun, ReaderUnavailable
from bounce_watch.sandbox.process import ReadingProcess
from bounce_watch.sandbox.reader import IsolatedReader
from tests.pipeline.conftest import ndr

pytestmark = pytest.mark.slow

WORDY = b"Content-Type: message/rfc822\r\n\r\n" + (b"Subject: " + b"=? " * 600 + b"\r\n") * 1000 + b"\r\n"
"""Takes long to read."""
ENDLESS = b"From: a@b.example\r\n\r\n" + b"x" * 200_000


@pytest.fixture
def reader() -> Iterator[IsolatedReader]:
    with closing(IsolatedReader()) as opened:
        yield opened


def process_of(reader: IsolatedReader) -> int:
    """Return the process that reads, to harm it from outside as the system would."""
    return reader.start()._popen.pid  # noqa: SLF001


def test_every_sample_is_read_as_it_is_here(reader: IsolatedReader) -> None:
    """Readings cross the pipe unchanged, whatever kind of value they hold."""
    paths = sorted(Path(__file__).parents[1].joinpath("samples").rglob("*.eml"))
    assert len(paths) > 40
    for path in paths:
        raw = path.read_bytes()
        assert reader.read(raw) == read(raw), path.name


def test_the_process_is_kept_between_messages(reader: IsolatedReader) -> None:
    reader.read(ndr())
    first = process_of(reader)
    reader.read(b"")
    assert process_of(reader) == first


def test_nothing_is_started_before_the_first_message_and_nothing_stays() -> None:
    before = set(children())
    reader = IsolatedReader()
    assert set(children()) == before
    reader.read(ndr())
    (started,) = set(children()) - before
    reader.close()
    assert not Path(f"/proc/{started}").exists()


def test_a_reader_that_is_forgotten_ends_its_process() -> None:
    reader = IsolatedReader()
    number = process_of(reader)
    del reader
    assert not Path(f"/proc/{number}").exists()


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


class Stopped:
    """A reader whose process is held as a message would hold it that never ends."""

    def __init__(self, limits: Limits) -> None:
        self.reader = IsolatedReader(limits=limits)
        os.kill(process_of(self.reader), signal.SIGSTOP)


def test_a_message_beyond_the_wall_time_is_an_overrun_and_the_next_one_is_read() -> None:
    with closing(IsolatedReader(limits=Limits(wall_seconds=0.1))) as reader:
        for _ in range(20):
            outcome = reader.read(WORDY)
            assert isinstance(outcome, Overrun)
            if outcome.limit is Limit.WALL:  # else a busy machine kept it from its time
                break
        assert isinstance(outcome, Overrun)
        assert outcome.limit is Limit.WALL
        assert isinstance(reader.read(b"Subject: x\n\n")[0], NotAReport)  # type: ignore[index]


def test_a_process_that_gets_no_processor_time_blames_no_message() -> None:
    held = Stopped(Limits(wall_seconds=0.3))
    with closing(held.reader) as reader:
        started = time.monotonic()
        outcome = reader.read(ndr())
        assert isinstance(outcome, Overrun)
        assert outcome.limit is Limit.STARVED
        assert time.monotonic() - started < 2
        assert isinstance(reader.read(b"Subject: x\n\n")[0], NotAReport)  # type: ignore[index]


def test_a_message_longer_than_the_pipe_does_not_block_on_a_process_that_hangs() -> None:
    held = Stopped(Limits(wall_seconds=0.3))
    with closing(held.reader) as reader:
        assert isinstance(reader.read(b"x" * 8_000_000), Overrun)


def test_together_overrun_letters_are_read_one_by_one() -> None:
    """A batch that overran tells nothing about which message did it; each gets its own time."""
    held = Stopped(Limits(wall_seconds=0.5))
    with closing(held.reader) as reader:
        answers = reader.ask([ReadRequest("a", ndr()), ReadRequest("b", b"")])
    assert [type(answer[0]) for answer in answers] == [Report, Unreadable]


def test_processor_time_is_counted_for_each_message_alone() -> None:
    """The kernel counts whole seconds; a message that burns them is ended, and many small ones are not."""
    script = (
        "import sys; from bounce_watch.sandbox import child, jobs\n"
        "def burn(letter):\n"
        "    while letter.raw == b'burn': pass\n"
        "    return 'done'\n"
        "child.work_of = lambda job: burn\n"
        "sys.exit(child.main(['readings', '1', str(1 << 30)]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert frames.read_frame(child.stdout) is not None  # type: ignore[arg-type]
        for raw in (b"a", b"burn"):
            child.stdin.write(frames.frame(frames.pack([ReadRequest("", raw)])))
            child.stdin.flush()
            answer = frames.read_frame(child.stdout)  # type: ignore[arg-type]
            assert (answer is None) is (raw == b"burn")
        assert child.wait(10) == -signal.SIGXCPU


def test_memory_beyond_the_limit_is_an_overrun() -> None:
    with closing(IsolatedReader(limits=Limits(memory_bytes=160 * 1024 * 1024))) as reader:
        assert isinstance(reader.read(ndr()), tuple)
        outcome = reader.read(b"From: a@b.example\n\n" + b"x" * 150_000_000)
        assert isinstance(outcome, Overrun)
        assert outcome.limit is Limit.MEMORY
        assert isinstance(reader.read(ndr()), tuple)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS], ids=lambda n: n.name)
def test_a_fault_in_native_code_is_an_overrun(reader: IsolatedReader, number: signal.Signals) -> None:
    os.kill(process_of(reader), number)
    outcome = reader.read(ndr())
    assert isinstance(outcome, Overrun)
    assert outcome.limit is Limit.CRASH
    assert isinstance(reader.read(ndr()), tuple)


def test_a_process_killed_by_the_kernel_says_nothing_about_the_message(reader: IsolatedReader) -> None:
    """Want of memory of the machine ends in SIGKILL: to be tried again, never counted."""
    os.kill(process_of(reader), signal.SIGKILL)
    with pytest.raises(ReaderUnavailable):
        reader.read(ndr())
    assert isinstance(reader.read(ndr()), tuple)


def test_a_signal_for_the_whole_group_does_not_end_a_reading(reader: IsolatedReader) -> None:
    """Ctrl-C and the end of a service go to every process; ours ends when its input does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(process_of(reader), number)
    assert isinstance(reader.read(ndr()), tuple)


def test_too_few_open_files_are_the_machines_fault() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(ReaderUnavailable):
            IsolatedReader().read(ndr())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_process_that_does_not_start_in_time_is_the_machines_fault() -> None:
    before = set(children())
    with pytest.raises(ReaderUnavailable):
        ReadingProcess(Job.READINGS, Limits(start_seconds=0.001))
    assert set(children()) == before


def test_the_process_limits_itself(reader: IsolatedReader) -> None:
    lines = Path(f"/proc/{process_of(reader)}/limits").read_text().splitlines()
    limits = {line[:26].strip(): line[26:].split()[0] for line in lines}
    assert limits["Max address space"] == str(512 * 1024 * 1024)
    assert limits["Max core file size"] == "0"


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("true",))


@pytest.mark.parametrize(
    "payload",
    [pickle.dumps([Evil()]), pickle.dumps([Path()]), pickle.dumps("text"), b"", b"\x80\x05cos\nsystem\n."],
    ids=["a function", "another class", "no list", "nothing", "by hand"],
)
def test_an_answer_builds_nothing_but_our_own_values(payload: bytes) -> None:
    """The process handles hostile bytes, so it could be taken over: its answers run nothing of ours."""
    with pytest.raises((pickle.UnpicklingError, EOFError)):
        frames.unpack_answer(payload)


def test_letters_cross_the_pipe_whatever_their_names_are() -> None:
    requests = [
        ReadRequest("a/\udcff.eml", b"\x00\xff"),
        ReadRequest("", b""),
        ReadRequest("ä#1", b"x" * 70_000),
    ]
    assert frames.unpack_requests(frames.pack(requests)) == requests
