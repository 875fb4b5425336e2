"""A disk that is full or fails at any one write: nothing is lost or doubled, and the service goes on.

The loop is SQLite's own: let the n-th write fail, for n from one until none fails any more.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.servers.processes import need

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that lets writes fail, made from its source."""
    need("gcc")
    library = tmp_path_factory.mktemp("shim") / "disk_shim.so"
    source = HERE / "disk_shim.c"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def fail_at_each_write(folder: Path, shim: Path, kinds: str, step: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.faults.disk_worker", str(folder), str(shim), kinds, str(step)]
    environ = os.environ | {"LD_PRELOAD": str(shim), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, check=False, env=environ, capture_output=True, text=True, cwd=HERE.parents[1]
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_some_writes_that_fail(tmp_path: Path, shim: Path) -> None:
    """A few positions; the next test takes all."""
    kinds = Counter(position["kind"] for position in fail_at_each_write(tmp_path, shim, "full,error", 101))
    assert min(kinds["full"], kinds["error"]) >= 2


@pytest.mark.proof
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", ["full", "error"])
def test_each_write_that_fails(tmp_path: Path, shim: Path, kind: str) -> None:
    positions = fail_at_each_write(tmp_path, shim, kind, 1)
    said = Counter(text.partition(":")[0] for position in positions for text in position["said"])
    starts = Counter(position["starts"] for position in positions)
    print(f"{kind}: {len(positions)} positions, said {dict(said)}, starts {dict(starts)}")
    assert len(positions) >= 200
