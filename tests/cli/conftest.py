"""The program as a user calls it, and a played demo to ask questions of."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def call(
    *arguments: str, status: int = 0, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program and demand its exit status."""
    done = subprocess.run(
        [sys.executable, "-m", "bounce_watch", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TZ": "UTC", "COLUMNS": "120", **(environ or {})},
        check=False,
    )
    assert done.returncode == status, f"{done.returncode}: {done.stderr}"
    return done


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the sample week was played once."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    call("demo", "--folder", str(folder))
    return folder


@pytest.fixture
def ask(demo: Path) -> Callable[..., list[dict[str, Any]]]:
    """Call a command on the demo's store and return its JSON lines."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        out = call("--config", str(demo / "config.toml"), *arguments, "--json").stdout
        return [json.loads(line) for line in out.splitlines()]

    return run
