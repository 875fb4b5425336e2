"""Logs on stderr: one event a line with keys. Never a body, never a secret."""

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any

import typer

_LONGEST = 400


def set_up_logs(form: str) -> None:
    """Write logs as text or as JSON; under systemd each line carries its priority (sd-daemon(3))."""
    import structlog

    if form not in ("text", "json"):
        raise typer.BadParameter("use text or json", param_hint="--log-format")
    renderer: Any = structlog.processors.JSONRenderer() if form == "json" else _as_text
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


_PRIORITY = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}


def _as_text(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    from bounce_watch.cli.safe import for_terminal

    level, moment = str(event.pop("level", "info")), str(event.pop("timestamp", ""))
    trace = event.pop("exception", "")
    name = event.pop("event", "")
    pairs = " ".join(f"{key}={for_terminal(str(value))[:_LONGEST]!r}" for key, value in sorted(event.items()))
    head = f"<{_PRIORITY.get(level, 6)}>" if "JOURNAL_STREAM" in os.environ else f"{moment} {level:<8}"
    line = f"{head}{name} {pairs}".rstrip()
    return f"{line}\n{trace}" if trace else line
