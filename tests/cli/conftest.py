"""The program as a user calls it, and a played demo to ask questions of."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.program import run_program

Run = Callable[..., subprocess.CompletedProcess[str]]


def call(
    *arguments: str, status: int = 0, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program and demand its exit status."""
    done = run_program(*arguments, environ={"TZ": "UTC", "COLUMNS": "120", **(environ or {})})
    assert done.returncode == status, f"{done.returncode}: {done.stderr}"
    return done


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
