"""The program as a user calls it, and a played demo to ask questions of."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bounce_watch.config.load import load_config
from bounce_watch.store import Server, store_location
from tests.program import run_program
from tests.servers.stores import Stores

DEMO_STORE = "bounce-watch.db"

Run = Callable[..., subprocess.CompletedProcess[str]]


def call(
    *arguments: str, status: int = 0, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program and assert its exit status."""
    done = run_program(*arguments, environ={"TZ": "UTC", "COLUMNS": "400", **(environ or {})})
    assert done.returncode == status, f"{done.returncode}: {done.stderr}"
    return done


@pytest.fixture(scope="session")
def demo_in_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play the sample week once for all workers and return its folder, which no test may change."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "demo" / "out"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            command = [
                sys.executable,
                "-m",
                "bounce_watch",
                "demo",
                "--folder",
                str(folder),
                "--ends",
                "2026-11-13",
            ]
            surroundings = {**os.environ, "TZ": "UTC", "COLUMNS": "120"}
            subprocess.run(command, env=surroundings, stdin=subprocess.DEVNULL, check=True, timeout=100)
    return folder


@pytest.fixture(scope="session")
def demo_at_server(demo_in_file: Path, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same week with its store copied to PostgreSQL by `db copy`."""
    url = stores.postgres.url(stores.postgres.database())
    folder = tmp_path_factory.mktemp("demo-at-server")
    # Its own copy: the command locks the store, and other workers read the demo.
    passing = shutil.ignore_patterns("*-wal", "*-shm", "*.lock")
    shutil.copytree(demo_in_file, folder, dirs_exist_ok=True, ignore=passing)
    call("-c", str(folder / "config.toml"), "db", "copy", "--to", url)
    (folder / DEMO_STORE).unlink()
    _move(folder, f'url = "{url}"')
    # The store identifies a mailbox by its name, which contains its path.
    config = folder / "config.toml"
    config.write_text(config.read_text().replace('"mailbox"', f'"{demo_in_file}/mailbox"'))
    return folder


@pytest.fixture(scope="session")
def demo(request: pytest.FixtureRequest) -> Path:
    """Return the folder of the demo with its store where `--store` says; no test may change it."""
    where = "file" if request.config.getoption("store") == "sqlite" else "server"
    folder: Path = request.getfixturevalue({"file": "demo_in_file", "server": "demo_at_server"}[where])
    return folder


@pytest.fixture
def site(demo: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Yield the configuration of a copy of the demo, whose store a test may change."""
    if (demo / DEMO_STORE).exists():
        shutil.copy(demo / DEMO_STORE, tmp_path)
        shutil.copy(demo / "config.toml", tmp_path)
        yield tmp_path / "config.toml"
    else:
        with _site_at_server(demo, tmp_path, request.getfixturevalue("stores")) as config:
            yield config


@pytest.fixture
def site_at_server(demo_at_server: Path, tmp_path: Path, stores: Stores) -> Iterator[Path]:
    """Yield the same with a store on PostgreSQL, even without `--store postgres`."""
    with _site_at_server(demo_at_server, tmp_path, stores) as config:
        yield config


@contextmanager
def _site_at_server(demo: Path, folder: Path, stores: Stores) -> Iterator[Path]:
    shutil.copy(demo / "config.toml", folder)
    server = store_location(load_config(demo / "config.toml").store)
    assert isinstance(server, Server)
    name = stores.postgres.copy(server.url.database or "")
    _move(folder, f'url = "{stores.postgres.url(name)}"')
    yield folder / "config.toml"
    stores.postgres.drop(name)


def _move(folder: Path, line: str) -> None:
    """Write the location of the store into the configuration of a demo."""
    config = folder / "config.toml"
    text, count = re.subn(r"(?<=\[store\]\n).*", line.replace("\\", r"\\"), config.read_text())
    assert count == 1
    config.write_text(text)


def failures(config: Path) -> set[str]:
    """Return what `db check` reports as failed, except durability: here PostgreSQL runs without fsync."""
    done = run_program("-c", str(config), "db", "check", "--json")
    found = {line["name"]: line["state"] for line in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == ("failure" in found.values())
    assert found.pop("durability", "failure") == "failure"
    return {name for name, state in found.items() if state == "failure"}


@pytest.fixture
def ask(demo: Path) -> Callable[..., list[dict[str, Any]]]:
    """Call a command on the demo's store and return its JSON lines."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        out = call("--config", str(demo / "config.toml"), *arguments, "--json").stdout
        return [json.loads(line) for line in out.splitlines()]

    return run
