"""Start a reading process, send it requests with a time limit, and kill it."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bounce_watch.sandbox.child import OUT_OF_MEMORY
from bounce_watch.sandbox.fork import ForkedProcess, own_bytes
from bounce_watch.sandbox.frames import HEAD, MAX_ANSWER, ReadRequest, frame, length_in, pack, unpack_answer
from bounce_watch.sandbox.jobs import Job
from bounce_watch.sandbox.outcome import Limit, Limits, Overrun, ReaderUnavailable

_ROOT = Path(__file__).parent.parent.parent
# -P: modules must not come from the current folder, which may hold anything.
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from bounce_watch.sandbox.child import main; sys.exit(main(sys.argv[1:]))"
)
_FROM_OUTSIDE = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}
_CHUNK = 256 * 1024
OWN_SECONDS = 1.0
"""Processor time that blames the messages for a timeout; most take a hundredth of it."""


class ReadingProcess:
    """A process that reads messages. It starts at once; raises ReaderUnavailable if it can't be started.

    `forked`: it is forked from this process, see `fork`. It has ended after an Overrun or an exception.
    """

    def __init__(self, job: Job, limits: Limits, *, forked: bool = False) -> None:
        self._limits = limits
        try:
            self._channel, theirs = socket.socketpair()
        except OSError as error:
            raise ReaderUnavailable(f"no reading process could be started: {error.strerror}") from error
        with theirs:
            self._popen = self._start(job, theirs, forked=forked)
        self.end = weakref.finalize(self, _end, self._popen, self._channel)
        self.unlimited = self._wait_until_ready()

    def _start(
        self, job: Job, channel: socket.socket, *, forked: bool
    ) -> "subprocess.Popen[bytes] | ForkedProcess":
        try:
            return (_fork if forked else _start)(job, self._limits, channel)
        except OSError as error:
            self._channel.close()
            raise ReaderUnavailable(f"no reading process could be started: {error.strerror}") from error

    def _wait_until_ready(self) -> tuple[str, ...]:
        """Return the names of the limits that it could not set, for example under a system call filter."""
        try:
            return tuple(self._receive(time.monotonic() + self._limits.start_seconds).decode("ascii").split())
        except (OSError, ValueError, pickle.UnpicklingError) as error:
            status = _end(self._popen, self._channel)
            raise ReaderUnavailable(f"the reading process did not start (exit status {status})") from error

    def ask(self, requests: Sequence[ReadRequest]) -> list[Any] | Overrun:
        """Return one answer for each request, or the limit that they exceeded together."""
        deadline, used = time.monotonic() + self._limits.wall_seconds, self._cpu_seconds()
        try:
            self._send(frame(pack(requests)), deadline)
            return unpack_answer(self._receive(deadline))
        except TimeoutError:
            is_starved = self._cpu_seconds() - used < min(OWN_SECONDS, self._limits.wall_seconds / 2)
            self.end()
            if is_starved:
                return Overrun(limit=Limit.STARVED, reason="this machine was too busy to read it")
            return Overrun(
                limit=Limit.WALL, reason=f"it takes longer to read than {self._limits.wall_seconds:g} seconds"
            )
        except pickle.UnpicklingError:
            self.end()
            return Overrun(limit=Limit.CRASH, reason="the reading process answered with something else")
        except OSError as error:
            return self._why_it_ended(error)

    def _cpu_seconds(self) -> float:
        """Return the processor time that the process used so far (proc(5))."""
        try:
            fields = (
                Path(f"/proc/{self._popen.pid}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
            )
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """Kill the process; a call that waits for it raises ReaderUnavailable."""
        self._popen.kill()

    def _why_it_ended(self, error: Exception) -> Overrun:
        status = _end(self._popen, self._channel, grace=5)
        limits = self._limits
        if status == -signal.SIGXCPU:
            reason = f"it takes more than {limits.cpu_seconds} seconds of processor time to read"
            return Overrun(limit=Limit.CPU, reason=reason)
        if status == OUT_OF_MEMORY:
            reason = f"it takes more than {limits.memory_bytes >> 20} MB of memory to read"
            return Overrun(limit=Limit.MEMORY, reason=reason)
        if status in _FROM_OUTSIDE:
            # The kernel or a person killed it; the message is not at fault.
            raise ReaderUnavailable(f"the reading process was ended from outside ({status})") from error
        return Overrun(limit=Limit.CRASH, reason=f"the reading process died of it (exit status {status})")

    def _send(self, content: bytes, deadline: float) -> None:
        self._bound(deadline)
        # A dead process raises an error here, whatever the host program does with SIGPIPE.
        self._channel.sendall(content, socket.MSG_NOSIGNAL)

    def _receive(self, deadline: float) -> bytes:
        length = length_in(self._read(HEAD, deadline))
        if length > MAX_ANSWER:
            raise pickle.UnpicklingError("too long")
        return self._read(length, deadline)

    def _read(self, length: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < length:
            self._bound(deadline)
            piece = self._channel.recv(min(_CHUNK, length - len(found)))
            if not piece:
                raise ConnectionResetError
            found += piece
        return bytes(found)

    def _bound(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._channel.settimeout(left)


def _fork(job: Job, limits: Limits, channel: socket.socket) -> ForkedProcess:
    return ForkedProcess(_arguments(job, limits, limits.memory_bytes + own_bytes()), channel.fileno())


def _arguments(job: Job, limits: Limits, memory_bytes: int) -> list[str]:
    return [job.value, str(limits.cpu_seconds), str(memory_bytes)]


def _start(job: Job, limits: Limits, channel: socket.socket) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-P", "-c", _START, str(_ROOT)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [*command, *_arguments(job, limits, limits.memory_bytes)],
        stdin=channel.fileno(),
        stdout=channel.fileno(),
        stderr=subprocess.DEVNULL,
    )


def _end(popen: "subprocess.Popen[bytes] | ForkedProcess", channel: socket.socket, grace: float = 0) -> int:
    """Kill the process if it does not end within `grace` seconds; return its exit status."""
    try:
        return popen.wait(grace)
    except subprocess.TimeoutExpired:
        popen.kill()
        return popen.wait()
    finally:
        channel.close()
