"""A reading process that is a copy of this one: it has all modules and tables, and reads from the start.

For the command line: a copy holds all that this process has in memory. It is made while there is one thread
only, since what other threads hold locked would stay locked in it.
"""

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from bounce_watch.sandbox.child import main

_LOOK_SECONDS = 0.002


def can_fork() -> bool:
    """Tell whether a copy of this process is sound: nothing else runs in it."""
    return threading.active_count() == 1


def own_bytes() -> int:
    """Return how much address space we have: a copy begins with as much."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()


class ForkedProcess:
    """A copy that serves its channel, with the methods of subprocess.Popen that we use.

    `arguments` are those of the reading process. Raises OSError when no process can be made.
    """

    def __init__(self, arguments: Sequence[str], channel: int) -> None:
        self._status: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _serve(arguments, channel)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status, negative for a signal. Raises TimeoutExpired."""
        until = None if timeout is None else time.monotonic() + timeout
        while self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG if until else 0)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
            elif until and time.monotonic() >= until:
                raise subprocess.TimeoutExpired("copy", timeout or 0)
            else:
                time.sleep(_LOOK_SECONDS)
        return self._status

    def kill(self) -> None:
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def _serve(arguments: Sequence[str], channel: int) -> NoReturn:
    """Keep the channel alone of all that was open, serve it, and leave without any of our endings."""
    status = 1
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for source, target in ((channel, 0), (channel, 1), (nowhere, 2)):
            os.dup2(source, target)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        status = main(arguments)
    finally:
        os._exit(status)
