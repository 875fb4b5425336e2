"""Fixtures for all tests: real servers, marks by cost, and cheap logs."""

import pytest
import structlog

pytest_plugins = ["tests.servers.fixtures"]

SERVERS = frozenset(("dovecot", "postgres", "alone", "stores", "mail_world", "dns_world"))
"""Fixtures that start a real server: their tests carry the mark `servers`."""
SLOW = frozenset(("demo", "demo_in_file", "problems"))
"""Fixtures that take seconds: a played week, a check of all templates. Their tests carry the mark `slow`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="where the stores of all tests are but those of tests/store, which run on both",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "about_files(why): about what only a store in a file has, or is")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures that they need, and skip tests about files with `--store postgres`."""
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


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Show a logged exception as Python does: structlog's own format, with all locals, took ten seconds."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
