"""A reading process forked from this one: it has all modules and tables, so it starts at once.

Only the command line forks, because the child holds all memory of this process. It forks only with a single
thread, because locks that other threads hold would stay locked in the child.
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

_POLL_SECONDS = 0.002


def can_fork() -> bool:
    """Tell whether this process may fork: it has no other thread."""
    return threading.active_count() == 1


def own_bytes() -> int:
    """Return the size of our address space, with which a forked process begins."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()


class ForkedProcess:
    """A forked reading process, with the methods of subprocess.Popen that we use.

    `arguments` are those of `child.main`. Raises OSError if no process can be made.
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
                raise subprocess.TimeoutExpired("fork", timeout or 0)
            else:
                time.sleep(_POLL_SECONDS)
        return self._status

    def kill(self) -> None:
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def _serve(arguments: Sequence[str], channel: int) -> NoReturn:
    """Close all files but the channel, serve it, and exit without running cleanup handlers."""
    status = 1
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for source, target in ((channel, 0), (channel, 1), (nowhere, 2)):
            os.dup2(source, target)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        status = main(arguments)
    finally:
        os._exit(status)
