"""Logs on stderr, one event per line. No body, no secret, and external addresses only in part."""

import logging
import os
import re
import sys
from collections.abc import Callable, Collection, MutableMapping
from typing import Any

import structlog
import typer

from bounce_watch.notifications.rendering.safe_text import for_terminal

_LONGEST = 400
_ADDRESS = re.compile(r"(\w[\w!#$%&'*+/=?^`{|}~.-]*)@((?:[\w-]+\.)+[\w-]+)")
_PRIORITY = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}

Event = MutableMapping[str, Any]


def set_up_logs(form: str, *, shown: Collection[str] | None = ()) -> None:
    """Write logs as text or as JSON; under systemd each line carries its priority (sd-daemon(3)).

    `shown` are the addresses that are logged in full, our own; None for every address.
    """

    if form not in ("text", "json"):
        raise typer.BadParameter("use text or json", param_hint="--log-format")
    processors: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if shown is not None:
        processors.append(_cut_addresses(frozenset(address.lower() for address in shown)))
    structlog.configure(
        processors=[*processors, _Lines(form)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _cut_addresses(shown: frozenset[str]) -> Callable[[object, str, Event], Event]:
    """Return a processor that cuts an address to its first letter and its domain."""

    def cut(match: re.Match[str]) -> str:
        return match[0] if match[0].lower() in shown else f"{match[1][0]}…@{match[2]}"

    def process(_logger: object, _method: str, event: Event) -> Event:
        for key, value in event.items():
            if isinstance(value, str) and "@" in value:
                event[key] = _ADDRESS.sub(cut, value)
        return event

    return process


class _Lines:
    """Formats an event as a line. systemd removes the priority before it stores the line."""

    def __init__(self, form: str) -> None:
        self._json = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else None
        self._in_journal = is_journal(os.environ.get("JOURNAL_STREAM"))

    def __call__(self, logger: object, method: str, event: Event) -> str:
        level = str(event.get("level", "info"))
        head = f"<{_PRIORITY.get(level, 6)}>" if self._in_journal else ""
        if self._json is not None:
            return head + str(self._json(logger, method, event))
        return _as_text(event, head)


def is_journal(stream: str | None) -> bool:
    """Return whether stderr is the stream in $JOURNAL_STREAM, device:inode (systemd.exec(5))."""
    if not stream:
        return False
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return stream == f"{status.st_dev}:{status.st_ino}"


def _as_text(event: Event, head: str) -> str:
    level, moment = str(event.pop("level", "info")), str(event.pop("timestamp", ""))
    trace = event.pop("exception", "")
    name = event.pop("event", "")
    pairs = " ".join(f"{key}={for_terminal(str(value))[:_LONGEST]!r}" for key, value in sorted(event.items()))
    line = f"{head or f'{moment} {level:<8}'}{name} {pairs}".rstrip()
    if not trace:
        return line
    # Each line is an entry of the journal and needs the priority. Lines are indented and escaped, because the
    # text of an error may come from a message and must not look like a line of the log.
    return "\n".join([line, *(f"{head}  {for_terminal(part)}" for part in str(trace).splitlines())])
