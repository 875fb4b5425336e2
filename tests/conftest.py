"""Fixtures for all tests: real servers, marks by cost, cheap logs, and what a process of tests shares."""

import os
import tempfile
from pathlib import Path

import pytest
import structlog

from tests.servers.compiled import share_compiled_statements

pytest_plugins = ["tests.servers.fixtures"]

SERVERS = frozenset(("dovecot", "postgres", "alone", "stores", "mail_world", "dns_world"))
"""Fixtures that start a real server: their tests carry the mark `servers`."""
SLOW = frozenset(("demo", "demo_in_file", "problems"))
"""Fixtures that take seconds: a played week, a check of all templates. Their tests carry the mark `slow`."""
MEMORY = Path("/dev/shm")
"""A disk in memory (Linux). No test cuts the power, so none needs one that keeps what was synced."""
MEMORY_NEEDED = 2 * 1024**3


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="where the stores of all tests are but those of tests/store, which run on both",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "about_files(why): about what only a store in a file has, or is")
    share_compiled_statements()
    _write_into_memory()


def _write_into_memory() -> None:
    """Let temporary files be in memory, unless TMPDIR says where: half a million syncs cost minutes."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    shape = os.statvfs(MEMORY)
    if shape.f_bavail * shape.f_frsize >= MEMORY_NEEDED and not shape.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures that they need, and skip tests about files with `--store postgres`.

    What takes long begins first, so that at the end only short tests are left to divide among workers. The
    short tests of a module stay together: they share what its fixtures and caches hold.
    """
    at_server = config.getoption("store") != "sqlite"
    for item in items:
        needed = set(getattr(item, "fixturenames", ()))
        if needed & SERVERS:
            item.add_marker(pytest.mark.servers)
        if needed & SLOW:
            item.add_marker(pytest.mark.slow)
        mark = item.get_closest_marker("about_files")
        if at_server and mark is not None:
            item.add_marker(pytest.mark.skip(reason=f"about a store in a file: {mark.args[0]}"))
        if not _cost(item) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=_cost, reverse=True)


def _cost(item: pytest.Item) -> int:
    return 2 * bool(item.get_closest_marker("servers")) + bool(item.get_closest_marker("slow"))


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Show a logged exception as Python does: structlog's own format, with all locals, took ten seconds."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
