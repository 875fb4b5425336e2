"""Real stores, in a file and at a server, and a short way to put a report into one.

A test that takes `store` or `store_location` runs on both; one that names the file's `path` is about SQLite.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bounce_watch.model import Bounce, Event, Evidence, OutboxState
from bounce_watch.store import Store, StoredReport, StoreLocation
from tests.servers.stores import Stores
from tests.store.blank import lay_blank_store
from tests.store.values import BOUNCE, LETTER, NOW, REPORT, body, place

Ingest = Callable[..., tuple[StoredReport, tuple[Event, ...]]]
Enqueue = Callable[..., int]
POSTGRES = pytest.param("postgres", marks=pytest.mark.servers)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "bounce-watch.db"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store_location" in metafunc.fixturenames:
        about_files = "path" in metafunc.fixturenames
        metafunc.parametrize("kind", ["sqlite"] if about_files else ["sqlite", POSTGRES])


@pytest.fixture
def store_location(kind: str, request: pytest.FixtureRequest) -> Iterator[StoreLocation]:
    """Yield the location of an empty store, or where one can be made."""
    if kind == "sqlite":
        yield request.getfixturevalue("path")
        return
    stores: Stores = request.getfixturevalue("stores")
    yield stores.empty()


@pytest.fixture
def store(store_location: StoreLocation) -> Iterator[Store]:
    if isinstance(store_location, Path):
        lay_blank_store(store_location)
    with Store.open(store_location) as opened:
        yield opened


@pytest.fixture
def ingest(store: Store) -> Ingest:
    """Return a function that stores one report with its bounces at a new location."""
    number = 0

    def put(*bounces: Bounce, now: datetime = NOW, **report: Any) -> tuple[StoredReport, tuple[Event, ...]]:
        nonlocal number
        number += 1
        with store.transaction() as tx:
            message = tx.messages.add_message(**place(str(number)), **body(now=now))
            values = {"fingerprint": f"fingerprint-{number}"} | report
            stored = tx.messages.add_report(
                message,
                replace(REPORT, **values),
                evidence=Evidence.INTERNAL,
                tests=(),
                now=now,
                received_at=now,
            )
            return stored, tx.messages.add_bounces(stored, bounces or (BOUNCE,), now)

    return put


@pytest.fixture
def enqueue(store: Store) -> Enqueue:
    """Return a function that puts a mail into the outbox and returns its number."""

    def put(event: str = "reply-1", *, now: datetime = NOW, **chosen: Any) -> int:
        letter = replace(LETTER, event_key=event, **{k: chosen.pop(k) for k in ("to", "kind") if k in chosen})
        values = {"state": OutboxState.PENDING, "cause": "mailbox_full"} | chosen
        with store.transaction() as tx:
            assert tx.outbox.enqueue(
                letter, content=b"From: us\r\n\r\n\xff", bw_id=f"id-{event}", now=now, **values
            )
            return tx.outbox.list(limit=1)[0].id

    return put
