"""Real stores in temporary files, and a short way to put a report into one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bounce_watch.model import Bounce, Event, Evidence
from bounce_watch.store import Store, StoredReport
from tests.store.values import BOUNCE, NOW, REPORT, body, place

Ingest = Callable[..., tuple[StoredReport, tuple[Event, ...]]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "bounce-watch.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


@pytest.fixture
def ingest(store: Store) -> Ingest:
    """Put one report with its bounces into the store, at a new place, with a new fingerprint."""
    number = 0

    def put(*bounces: Bounce, now: datetime = NOW, **report: Any) -> tuple[StoredReport, tuple[Event, ...]]:
        nonlocal number
        number += 1
        with store.transaction() as tx:
            message = tx.add_message(**place(str(number)), **body(now=now))
            values = {"fingerprint": f"fingerprint-{number}"} | report
            stored = tx.add_report(
                message, replace(REPORT, **values), evidence=Evidence.INTERNAL, tests=(), now=now
            )
            return stored, tx.add_bounces(stored.report_id, bounces or (BOUNCE,), now)

    return put
