"""Fixtures that start real servers, and the line in the summary that names what really ran."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.dns_world import DnsWorld
from tests.servers.dovecot import WATCHED, Dovecot
from tests.servers.kept import AtServer, InFile, Keep
from tests.servers.postgres import Postgres
from tests.servers.processes import STARTED
from tests.servers.stores import Stores
from tests.servers.tokens import TokenServer
from tests.servers.world import MailWorld, start_world

_FROM_WORKERS: Counter[str] = Counter()


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    """A Dovecot with passwords."""
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for all tests of a process."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def stores(postgres: Postgres) -> Iterator[Stores]:
    """Stores at that server."""
    with Stores(postgres) as stores:
        yield stores


@pytest.fixture(scope="session")
def keep(request: pytest.FixtureRequest) -> Keep:
    """Give the store for a folder: a file in it, or with `--store postgres` a database of its own."""
    if request.config.getoption("store") == "sqlite":
        return InFile
    stores: Stores = request.getfixturevalue("stores")
    return lambda _folder: AtServer(stores, stores.made())


@pytest.fixture(scope="session")
def dns_world() -> Iterator[DnsWorld]:
    """Knot with Unbound before it, for all tests of a process."""
    with DnsWorld() as world:
        yield world


@pytest.fixture
def token_server(tmp_path: Path) -> Iterator[TokenServer]:
    """A token server that grants tokens for the watched mailbox."""
    with TokenServer(tmp_path / "token-server", WATCHED) as server:
        yield server


@pytest.fixture
def mail_world() -> Iterator[MailWorld]:
    """Dovecot, Postfix and a refusing world, wired together."""
    with start_world() as world:
        yield world


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Collect what a pytest-xdist worker started."""
    _FROM_WORKERS.update(getattr(node, "workeroutput", {}).get("servers", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["servers"] = dict(STARTED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    started = STARTED + _FROM_WORKERS
    text = ", ".join(f"{name} ({count} times)" for name, count in sorted(started.items())) or "none"
    terminalreporter.write_line(f"servers really started: {text}")
