"""The program as a user calls it, within the process of the tests."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path

import structlog

from bounce_watch.cli import main

_SIGNALS = (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run_program(
    *arguments: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `main` in this process with its own streams and environment; return its output.

    To start Python for each of some hundred calls took most of these tests' time. The tests of the service,
    of the demo, of standard input and of completion start it.
    """
    out, err = _stream(), _stream()
    with _surroundings(environ or {}), _streams(arguments, out, err):
        try:
            copy_context().run(main)  # the zone in which it shows times ends with it
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return subprocess.CompletedProcess(arguments, code, _text_of(out), _text_of(err))


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text_of(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@contextmanager
def _surroundings(environ: Mapping[str, str]) -> Iterator[None]:
    """Set variables and the time zone; what the program sets for its whole process is undone."""
    before, logs = dict(os.environ), structlog.get_config()
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    mask = os.umask(0)
    os.umask(mask)
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
        os.umask(mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def _streams(arguments: tuple[str, ...], out: io.TextIOWrapper, err: io.TextIOWrapper) -> Iterator[None]:
    before = sys.argv, sys.stdin, sys.stdout, sys.stderr
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        sys.argv, sys.stdin, sys.stdout, sys.stderr = ["bounce-watch", *arguments], nothing, out, err
        try:
            yield
        finally:
            sys.argv, sys.stdin, sys.stdout, sys.stderr = before
