"""The reading process, which `process` starts: sets its own limits, then answers frames until its input ends.

It opens no file that a message names, and keeps nothing of one message for the next.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from bounce_watch.sandbox.frames import ReadRequest, frame, pack, read_frame, unpack_requests
from bounce_watch.sandbox.jobs import Job, work_of

OUT_OF_MEMORY = 76
"""Exit status of a process that reached its memory limit."""
_INPUT, _OUTPUT = 0, 1


def main(arguments: Sequence[str]) -> int:
    """Serve until the input ends. Arguments: the job, seconds of CPU time, bytes of memory."""
    job, cpu_seconds, memory_bytes = Job(arguments[0]), int(arguments[1]), int(arguments[2])
    # We stop when our input ends; a signal to the service must not interrupt a reading.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    answers = _private_output()
    missing = _limit_all(memory_bytes)
    work = work_of(job)
    _write(answers, " ".join(missing).encode("ascii"))
    try:
        _serve(work, answers, cpu_seconds)
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


def _serve(work: Callable[[ReadRequest], object], answers: int, cpu_seconds: int) -> None:
    with open(_INPUT, "rb", closefd=False) as requests:
        while (payload := read_frame(requests)) is not None:
            _limit_cpu(cpu_seconds)
            _write(answers, pack([work(request) for request in unpack_requests(payload)]))


def _private_output() -> int:
    """Return our own channel to the parent; the output of libraries is discarded."""
    answers = os.dup(_OUTPUT)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _OUTPUT)
    os.close(nowhere)
    return answers


def _limit_all(memory_bytes: int) -> list[str]:
    """Set the limits of the whole process; return the names of those that could not be set."""
    missing = []
    for name, value in (("RLIMIT_AS", memory_bytes), ("RLIMIT_CORE", 0)):
        number = getattr(resource, name)
        try:
            hard = resource.getrlimit(number)[1]
            wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(number, (wanted, hard))
        except (OSError, ValueError):
            missing.append(name)
    # If memory still runs out, the kernel must kill this process and not the service.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    return missing


def _limit_cpu(seconds: int) -> None:
    """Allow this many seconds from now on; then the kernel ends us with SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    with suppress(OSError, ValueError):
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        soft = int(used.ru_utime + used.ru_stime) + seconds + 1
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _write(descriptor: int, payload: bytes) -> None:
    rest = memoryview(frame(payload))
    while rest:
        rest = rest[os.write(descriptor, rest) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
