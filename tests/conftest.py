"""Fixtures for all rooms: real servers, and logs that cost nothing."""

import pytest
import structlog

pytest_plugins = ["tests.servers.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="where the stores of tests/pipeline are; the tests of tests/store run on both",
    )


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Show a logged exception as Python does: structlog's own way, with all locals, took ten seconds each."""
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
