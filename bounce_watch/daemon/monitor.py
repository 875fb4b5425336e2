"""Who looks at the service from outside: admins by mail, Prometheus by a file, a monitor by its heartbeat.

None of them may ever stop it.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from bounce_watch.config.secrets import SecretError, heartbeat_url
from bounce_watch.pipeline import CycleResult, House
from bounce_watch.pipeline.condition import judge_condition, look_beside
from bounce_watch.pipeline.figures import Figures
from bounce_watch.pipeline.outages import note_fault, note_recovery
from bounce_watch.send.heartbeat import Heartbeat
from bounce_watch.store import StoreTemporary

log = structlog.get_logger()

BETWEEN_FIGURES = 5.0
"""Seconds between two writings of the figures; Prometheus looks every 15 or more."""


class Monitor:
    """Hears how mailboxes and work go. `sources` are the names of all sources by what people call them."""

    def __init__(self, house: House, sources: Mapping[str, str]) -> None:
        self._house = house
        self._sources = dict(sources)
        self._ill: set[str] = set()
        self._figures = Figures()
        self._heartbeat = _heartbeat(house)
        self._written = float("-inf")
        if house.store.watcher.is_alone:
            with house.store.transaction() as tx:
                tx.keep_troubles(self._sources.values())

    def well(self, source: str, label: str) -> None:
        """Hear that a mailbox was read. The heart beats while every mailbox is well."""
        self._ill.discard(source)
        try:
            if note_recovery(self._house, source, label):
                log.info("admins_told", mailbox=label, of="recovery")
        except (StoreTemporary, OSError) as error:
            log.warning("recovery_not_noted", mailbox=label, error=str(error))
        if self._heartbeat is not None and not self._ill:
            self._heartbeat.beat()

    def ill(self, source: str, label: str, fault: Exception) -> None:
        """Hear of a fault. Where even the store has one, the log alone tells."""
        self._ill.add(source)
        try:
            if note_fault(self._house, source, label, fault):
                log.warning("admins_told", mailbox=label, of="outage")
        except (StoreTemporary, OSError) as error:
            log.warning("fault_not_noted", mailbox=label, error=str(error))

    def attended(self, result: CycleResult) -> None:
        """Count what was done, and write the figures where they are wanted."""
        self._figures.count(result)
        path = self._house.config.monitor.textfile
        if path is None or time.monotonic() - self._written < BETWEEN_FIGURES:
            return
        self._written = time.monotonic()
        try:
            self._write_figures(path)
        except (StoreTemporary, OSError) as error:
            log.warning("figures_not_written", path=str(path), error=str(error))

    def _write_figures(self, path: Path) -> None:
        house = self._house
        beside = look_beside(house.config, self._sources, (f"process {os.getpid()}",))
        lines = judge_condition(house.store, house.config, house.clock(), beside)
        self._figures.write(lines, path, house.clock())


def _heartbeat(house: House) -> Heartbeat | None:
    try:
        url = heartbeat_url(house.config.monitor)
    except SecretError as error:
        log.error("no_heartbeat", error=str(error), repair=error.repair)
        return None
    return Heartbeat(url) if url else None
