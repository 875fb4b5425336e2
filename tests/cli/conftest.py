"""The program as a user calls it, and a played demo to ask questions of."""

import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from bounce_watch.cli import main

Run = Callable[..., subprocess.CompletedProcess[str]]


def call(
    *arguments: str, status: int = 0, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program and demand its exit status.

    It runs in this process, from `main` on and with streams and surroundings of its own: to start Python for
    each of some hundred calls took most of these tests' time. Those of the service and the demo start it.
    """
    out, err = _stream(), _stream()
    with _surroundings({"TZ": "UTC", "COLUMNS": "120", **(environ or {})}), _streams(arguments, out, err):
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    done = subprocess.CompletedProcess(arguments, code, _text_of(out), _text_of(err))
    assert done.returncode == status, f"{done.returncode}: {done.stderr}"
    return done


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text_of(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@contextmanager
def _surroundings(environ: dict[str, str]) -> Iterator[None]:
    """Set variables and the time zone; what the program sets for its whole process is undone."""
    before, logs, pipe = dict(os.environ), structlog.get_config(), signal.getsignal(signal.SIGPIPE)
    os.environ.update(environ)
    time.tzset()
    tempfile.tempdir = None  # else it is what it was at the first call
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        time.tzset()
        tempfile.tempdir = None
        structlog.configure(**logs)
        signal.signal(signal.SIGPIPE, pipe)


@contextmanager
def _streams(arguments: tuple[str, ...], out: io.TextIOWrapper, err: io.TextIOWrapper) -> Iterator[None]:
    before = sys.argv, sys.stdin, sys.stdout, sys.stderr
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        sys.argv, sys.stdin, sys.stdout, sys.stderr = ["bounce-watch", *arguments], nothing, out, err
        try:
            yield
        finally:
            sys.argv, sys.stdin, sys.stdout, sys.stderr = before


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the sample week was played once, for all workers: to look at, never to change."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "demo" / "out"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            command = [sys.executable, "-m", "bounce_watch", "demo", "--folder", str(folder)]
            surroundings = {**os.environ, "TZ": "UTC", "COLUMNS": "120"}
            subprocess.run(command, env=surroundings, stdin=subprocess.DEVNULL, check=True, timeout=100)
    return folder


@pytest.fixture
def ask(demo: Path) -> Callable[..., list[dict[str, Any]]]:
    """Call a command on the demo's store and return its JSON lines."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        out = call("--config", str(demo / "config.toml"), *arguments, "--json").stdout
        return [json.loads(line) for line in out.splitlines()]

    return run
