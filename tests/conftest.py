"""Fixtures for all rooms: real servers, and logs that cost nothing."""

import pytest
import structlog

pytest_plugins = ["tests.servers.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="where the stores of all tests are but those of tests/store, which run on both",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "about_files(why): about what only a store in a file has, or is")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is about a store in a file, each with its reason, where the stores are at a server."""
    if config.getoption("store") == "sqlite":
        return
    for item in items:
        if (mark := item.get_closest_marker("about_files")) is not None:
            item.add_marker(pytest.mark.skip(reason=f"about a store in a file: {mark.args[0]}"))


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Show a logged exception as Python does: structlog's own way, with all locals, took ten seconds each."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
