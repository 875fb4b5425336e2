"""A reader or a server that goes away ends what it was told, never the program."""

import os
import signal
import subprocess
import sys

import pytest

from tests.program import run_program

pytestmark = pytest.mark.slow

_ASK = """
import signal, sys
from bounce_watch.cli import main
sys.argv = ["bounce-watch", "--version"]
try:
    main()
except SystemExit:
    pass
sys.exit(signal.getsignal(signal.SIGPIPE) is not signal.SIG_IGN)
"""


def test_a_server_that_hangs_up_while_we_write_kills_no_service() -> None:
    """SIGPIPE did, and systemd takes that for a clean end, after which it starts nothing."""
    assert (
        subprocess.run([sys.executable, "-c", _ASK], stdout=subprocess.DEVNULL, check=False).returncode == 0
    )
    assert run_program("--version").returncode == 0


def test_a_reader_that_goes_away_early_hears_no_traceback() -> None:
    command = [sys.executable, "-m", "bounce_watch", "parse", "tests/samples", "--json"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.returncode not in (0, -signal.SIGPIPE)
    assert "Traceback" not in done.stderr
