"""Metrics for Prometheus: a file for the textfile collector of node_exporter."""

import contextlib
import os
import tempfile
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics, generate_latest

from bounce_watch.pipeline.health import Line, worst
from bounce_watch.pipeline.result import CycleResult

_READABLE = 0o644
"""node_exporter runs as another account. The metrics hold no personal data."""


class Figures:
    """The counters and the health of one run of the service."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the start of the service says when a counter began
        self._registry = CollectorRegistry()
        self._messages = self._counter("messages", "Mails read, by kind.", "kind")
        self._bounces = self._counter("bounces", "Recipients whose mail bounced.")
        self._incidents = self._counter("incidents_opened", "Incidents opened.")
        self._mails = self._counter("mails", "Mails handed to the server, by outcome.", "outcome")
        self._level = self._gauge("status", "0 ok, 1 warning, 2 critical: as bounce-watch status.")
        self._parts = self._gauge("part_status", "The same for each part.", "part")
        self._figures = self._gauge("part", "Counts, and ages in seconds, of each part.", "part")
        self._written = self._gauge("written_timestamp_seconds", "When these figures were written.")

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"bounce_watch_{name}", about, labels, registry=self._registry)

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"bounce_watch_{name}", about, labels, registry=self._registry)

    def count(self, result: CycleResult) -> None:
        for kind, count in result.kinds.items():
            self._messages.labels(kind.value).inc(count)
        self._bounces.inc(result.bounces)
        self._incidents.inc(len(result.opened))
        done = result.delivered
        for outcome, count in (
            ("sent", done.sent), ("later", done.later), ("failed", done.failed), ("unknown", done.unknown)
        ):  # fmt: skip
            self._mails.labels(outcome).inc(count)

    def write(self, lines: tuple[Line, ...], path: Path, now: datetime) -> None:
        """Replace the file atomically, so that no reader gets half of it. Raises OSError."""
        self._level.set(worst(lines))
        self._parts.clear()
        self._figures.clear()
        for line in lines:
            self._parts.labels(line.name).set(line.level)
            if line.figure is not None:
                self._figures.labels(line.name).set(line.figure)
        self._written.set(now.timestamp())
        _replace(path, generate_latest(self._registry))


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), _READABLE)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
