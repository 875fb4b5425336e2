"""Start and end server processes of tests; each lives in a process group and a folder of its own.

A process of tests that is killed ends nothing, so a guard beside each server does: its standard input ends
with whoever started it, however that ended.
"""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

STARTED: Counter[str] = Counter()
"""How often each server was really started in this process, by name and version."""

_PORTS: deque[int] = deque(maxlen=1000)
"""The ports that this process has given away lately."""

_GUARDS: dict[int, subprocess.Popen[bytes]] = {}

# The children of a PostgreSQL have sessions of their own, and end a moment after their master.
_GUARD = 'read -r _; kill -s KILL -- "$1"; [ -z "$2" ] || { sleep 0.3; rm -rf -- "$2"; }'


def start(
    command: Sequence[str | Path],
    log: IO[bytes],
    folder: Path,
    *,
    env: Mapping[str, str] | None = None,
    **account: Any,
) -> subprocess.Popen[bytes]:
    """Start a server in its own process group. A guard ends it and deletes its folder with the tests."""
    process = subprocess.Popen(
        command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, cwd=folder, env=env, **account
    )
    _GUARDS[process.pid] = guard(-process.pid, folder)
    return process


def guard(target: int, folder: Path | None = None) -> subprocess.Popen[bytes]:
    """Kill a process, or a group for a negative number, when this process is gone, and remove a folder.

    Killing the guard ends its duty.
    """
    command = ["/bin/sh", "-c", _GUARD, "guard", str(target), str(folder or "")]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, cwd="/",
    )  # fmt: skip


def relieve(one: subprocess.Popen[bytes]) -> None:
    """End a guard without its effect."""
    one.kill()
    one.communicate()


def free_port() -> int:
    """Return a free loopback port below the range from which the kernel takes ports for clients.

    Each worker has a range of its own and no port twice: another server may not listen on one yet.
    """
    first = 15000 + 2000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8)
    while True:
        port = random.randrange(first, first + 2000)
        if port in _PORTS:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _PORTS.append(port)
        return port


def need(*programs: str, root: bool = False) -> None:
    """Skip the test when a server is not installed or not allowed here; on CI fail instead."""
    absent = [name for name in programs if shutil.which(name) is None and not Path(name).exists()]
    reason = f"not installed: {', '.join(absent)}" if absent else ""
    if root and os.getuid() != 0:
        reason = "needs root, because Postfix's master process changes users"
    if not reason:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def version_of(*command: str) -> str:
    """Return the first word that a server says about its version."""
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return answer.stdout.split()[0]


def wait_for_greeting(
    process: subprocess.Popen[bytes], port: int, greeting: bytes, seconds: float = 15
) -> bool:
    """Wait until the server greets on its port; False when it ended or took too long."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        if _greets(port, greeting):
            return True
        time.sleep(0.02)
    return False


def _greets(port: int, greeting: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as probe:
            probe.settimeout(5)
            return probe.recv(100).startswith(greeting)
    except OSError:
        return False


def end(process: subprocess.Popen[bytes], asked: signal.Signals = signal.SIGTERM) -> None:
    """End the master and its whole group at once: sessions outlive the master otherwise.

    Patience is short, because nothing they could still write is looked at. `asked` is the master's word for
    ending at once.
    """
    _signal_group(process, asked)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.3)
    _signal_group(process, signal.SIGKILL)
    process.wait()
    if (one := _GUARDS.pop(process.pid, None)) is not None:
        relieve(one)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # A group that has ended, or one whose last members belong to another user, needs no signal.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
