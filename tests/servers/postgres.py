"""A throw-away PostgreSQL: one cluster a test session, one database a test, copied from a template.

The server refuses to run as root and steps down to an ordinary account. Nothing in it outlives the tests,
so it never waits for the disk.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from tests.servers.processes import STARTED, end, free_port, need, start

ROLE, PASSWORD = "bouncewatch", "horse: battery/staple"
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/usr/pgsql-*/bin")
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "dynamic_shared_memory_type": "mmap",  # in its folder, so that it goes with it
    "listen_addresses": "127.0.0.1",
    "lc_messages": "C",
}
_SIGN_IN = f"""\
local all postgres trust
local all {ROLE} trust
local replication postgres trust
host all {ROLE} 127.0.0.1/32 scram-sha-256
"""


def find_programs() -> Path:
    """Return the folder of the newest installed server's programs; skip the test where there is none."""
    found = [folder for place in _PLACES for folder in Path("/").glob(place.lstrip("/"))]
    folders = [folder for folder in found if (folder / "initdb").exists()]
    if not folders:
        need("initdb")
        return Path(shutil.which("initdb") or "").parent
    return max(
        folders, key=lambda folder: [int(part) for part in folder.parent.name.split(".") if part.isdigit()]
    )


class Postgres:
    """One cluster with a role of ours, which signs in by socket, or on loopback with its password."""

    def __init__(self, **settings: str) -> None:
        self.programs = find_programs()
        self.account = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.root = Path(tempfile.mkdtemp(prefix="bounce-watch-postgres-"))
        self.port = free_port()
        self._settings = _SETTINGS | {"unix_socket_directories": str(self.root)} | settings
        self._names = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Postgres":
        os.chown(self.root, self.account.pw_uid, self.account.pw_gid)
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync", "--no-instructions")  # fmt: skip
        (self.data / "pg_hba.conf").write_text(_SIGN_IN)
        self.start()
        # The role may make databases, so that a test can do what an admin does.
        self.sql(f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{PASSWORD}'")
        STARTED[f"PostgreSQL {self._run('postgres', '--version').split()[2]}"] += 1
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            end(self._process, signal.SIGQUIT)
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def data(self) -> Path:
        return self.root / "data"

    def start(self) -> None:
        """Start the server on its folder and wait until it takes questions."""
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with (self.root / "log").open("ab") as log:
            program = str(self.programs / "postgres")
            command = [program, "-D", str(self.data), "-p", str(self.port), *options]
            self._process = start(command, log, self.root, **self._stepping_down())
        self._wait(self._process)

    def stop(self) -> None:
        """End the server as a failing machine does: sessions break off, what was committed stays."""
        assert self._process is not None
        end(self._process, signal.SIGQUIT)
        self._process = None

    def database(self, template: str = "template0") -> str:
        """Make a database from a template and return its name."""
        name = f"store_{os.getpid()}_{next(self._names)}"
        self.sql(f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {template}")
        return name

    def copy(self, name: str) -> str:
        """Copy a database, ending its open connections first; return the copy's name."""
        self.sql(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")
        return self.database(template=name)

    def drop(self, name: str) -> None:
        """Drop a database and its open connections."""
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, database: str) -> str:
        """Return the address by socket, where no password is asked for."""
        return f"postgresql://{ROLE}@/{database}?host={self.root}&port={self.port}"

    def url_on_loopback(self, database: str) -> str:
        """Return the address on loopback, where the password is asked for."""
        return f"postgresql://{ROLE}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the cluster's owner, outside a transaction; return its rows."""
        import psycopg

        with psycopg.connect(
            host=str(self.root), port=self.port, user="postgres", dbname=database, autocommit=True
        ) as connection:
            answer = connection.execute(statement)
            return list(answer.fetchall()) if answer.description else []

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 30
        ready: list[str | Path] = [self.programs / "pg_isready", "-q", "-h", self.root, "-p", str(self.port)]
        while process.poll() is None and time.monotonic() < deadline:
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL did not start: {(self.root / 'log').read_text()[-2000:]}")

    def _run(self, program: str, *arguments: str) -> str:
        command: Sequence[str] = [str(self.programs / program), *arguments]
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.root, **self._stepping_down()
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")
        return done.stdout

    def _stepping_down(self) -> dict[str, Any]:
        if os.getuid() != 0:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}


class Standby(Postgres):
    """A second server that follows another one, which waits for it at each commit, until it is promoted."""

    def __init__(self, primary: Postgres) -> None:
        super().__init__()
        self._primary = primary

    def __enter__(self) -> "Standby":
        os.chown(self.root, self.account.pw_uid, self.account.pw_gid)
        whence = ("-h", str(self._primary.root), "-p", str(self._primary.port), "-U", "postgres")
        self._run("pg_basebackup", "-D", str(self.data), *whence, "-R", "-c", "fast", "--no-sync")
        self.start()
        self._primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._primary.sql("SELECT pg_reload_conf()")
        return self

    def promote(self) -> None:
        self._run("pg_ctl", "promote", "-D", str(self.data))
