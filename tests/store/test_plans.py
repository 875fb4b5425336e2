"""Every main question is answered by an index: SQLite's own plans, not the clock, prove it."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from bounce_watch.model import Cause, Evidence, IncidentState, OutboxState, Owner
from bounce_watch.store import By, HistoryFilter, MessageState, Order, Store
from tests.store.committed import set_state, state_at
from tests.store.conftest import Ingest
from tests.store.test_incidents import FINDING
from tests.store.values import LETTER, NOW, place

DAY = timedelta(days=1)
OURS = (Evidence.INTERNAL,)
_BARE_SCAN = re.compile(r"SCAN (?!\w+ USING (COVERING )?INDEX)(?!CONSTANT)\w+")
_SORT = "USE TEMP B-TREE FOR ORDER BY"

Statement = tuple[str, tuple[Any, ...]]


@pytest.fixture
def statements() -> Iterator[list[Statement]]:
    """Collect every SELECT that reaches the driver."""
    seen: list[Statement] = []

    def note(_c: Any, _k: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, tuple(parameters)))

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


def plans(path: Path, statements: list[Statement]) -> list[tuple[str, list[str]]]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            (statement, [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)])
            for statement, parameters in statements
        ]


def history(**chosen: Any) -> Callable[[Store], object]:
    return lambda store: list(store.history.find(HistoryFilter(**chosen)))


SORTED = [
    pytest.param(lambda store: list(store.history.find()), id="newest"),
    pytest.param(lambda store: list(store.history.find(order=Order.OLDEST)), id="oldest"),
    pytest.param(history(sender="a@b.example"), id="sender"),
    pytest.param(history(sender="a@b.example", since=NOW), id="sender since"),
    pytest.param(history(sender_domain="b.example"), id="sender's domain"),
    pytest.param(history(recipient="a@b.example"), id="recipient"),
    pytest.param(history(domain="b.example"), id="recipient's domain"),
    pytest.param(history(code="5.1.1"), id="status"),
    pytest.param(history(code="550"), id="reply code"),
    pytest.param(history(cause=Cause.UNKNOWN), id="cause"),
    pytest.param(history(owner=Owner.SENDER), id="owner"),
    pytest.param(history(text="x"), id="text, along the time"),
    pytest.param(lambda store: store.outbox.due(NOW), id="due mails"),
    pytest.param(lambda store: store.outbox.unknown_due(NOW), id="unknown mails"),
    pytest.param(lambda store: store.outbox.list([OutboxState.HELD]), id="held mails"),
    pytest.param(lambda store: store.incidents.list_open(), id="open incidents"),
    pytest.param(lambda store: store.quarantine.list(), id="quarantine"),
]

INDEXED = [
    pytest.param(lambda store: state_at(store, **place()), id="is a message known"),
    pytest.param(lambda store: store.outbox.event_known("key"), id="is an event known"),
    pytest.param(
        lambda store: store.outbox.reply_history("a@b.example", "unknown", NOW), id="what the gate asks"
    ),
    pytest.param(lambda store: store.history.count(HistoryFilter(sender="a@b.example")), id="count"),
    pytest.param(lambda store: store.summary.stats(), id="stats"),
    pytest.param(lambda store: store.known_addresses.at_domain("b.example", OURS), id="known addresses"),
    pytest.param(
        lambda store: store.known_addresses.domains("a@b.example", "b.example", OURS), id="known domains"
    ),
    pytest.param(
        lambda store: store.known_addresses.earlier_bounces(
            "a@b.example", "c@d.example", 1, since=NOW, accepted=OURS
        ),
        id="earlier bounces",
    ),
    pytest.param(lambda store: store.incidents.refusal_examples(1), id="evidence of an incident"),
    pytest.param(lambda store: store.history.show(1), id="show"),
    pytest.param(lambda store: store.incidents.show(1), id="incident"),
    pytest.param(
        lambda store: list(store.history.find(HistoryFilter(incident=1))), id="bounces of an incident"
    ),
    pytest.param(lambda store: store.history.top(By.SENDER, HistoryFilter(since=NOW)), id="top"),
    *(pytest.param(lambda store, by=by: store.history.top(by), id=f"top {by} of all time") for by in By),
    pytest.param(lambda store: store.history.labels(By.SENDER, "a"), id="completion"),
    pytest.param(lambda store: store.incidents.list(IncidentState.RESOLVED), id="resolved incidents"),
    pytest.param(
        lambda store: store.overviews.overview("Contoso", "UTC", NOW - 40 * DAY, NOW), id="report page"
    ),
    pytest.param(lambda store: store.history.trend(NOW - 40 * DAY, NOW), id="trend"),
    pytest.param(
        lambda store: store.history.trend(NOW - 40 * DAY, NOW, HistoryFilter(sender="a@b.example")),
        id="trend of one",
    ),
    pytest.param(lambda store: store.people.person("a@b.example"), id="person"),
    pytest.param(lambda store: store.people.domain("b.example"), id="domain"),
    pytest.param(
        lambda store: list(store.history.find(HistoryFilter(subject="Offer"))), id="bounces of a subject"
    ),
    pytest.param(lambda store: store.digests.count(NOW.date(), "UTC", NOW + 9 * DAY), id="digest"),
    pytest.param(
        lambda store: store.bounces.events(since=NOW, until=NOW, causes=[Cause.UNKNOWN, Cause.SPF_FAILED]),
        id="events by cause",
    ),
    pytest.param(
        lambda store: store.bounces.events(since=NOW, until=NOW, sender=["a@b.example", "c@b.example"]),
        id="events by sender",
    ),
    pytest.param(
        lambda store: store.bounces.events(
            since=NOW, until=NOW, causes=[Cause.UNKNOWN, Cause.SPF_FAILED], sender_domain=["b.example"]
        ),
        id="events by cause and domain",
    ),
]


@pytest.fixture
def filled(store: Store, ingest: Ingest) -> Store:
    (found,) = ingest()[1]
    with store.transaction() as tx:
        tx.state.start_run(NOW)
        tx.incidents.save_finding(FINDING, NOW, quiet=False)
        tx.outbox.enqueue(LETTER, content=b"", bw_id="1", state=OutboxState.PENDING, now=NOW, incident=1)
        set_state(tx, found.message_id, MessageState.FILED)
    return store


@pytest.mark.parametrize("ask", [*SORTED, *INDEXED])
def test_no_table_is_read_from_end_to_end(
    filled: Store, path: Path, statements: list[Statement], ask: Callable[[Store], object]
) -> None:
    statements.clear()
    ask(filled)
    assert statements
    for statement, plan in plans(path, statements):
        once = {step.partition(" ")[2] for step in plan if step.startswith(("MATERIALIZE ", "CO-ROUTINE "))}
        bare = [step for step in plan if _BARE_SCAN.match(step) and step.removeprefix("SCAN ") not in once]
        assert not bare, f"{bare} in {statement}"


@pytest.mark.parametrize("ask", SORTED)
def test_no_page_is_sorted_after_reading(
    filled: Store, path: Path, statements: list[Statement], ask: Callable[[Store], object]
) -> None:
    """The first page of a million rows is as quick as of ten, because the index has the order."""
    statements.clear()
    ask(filled)
    for statement, plan in plans(path, statements):
        assert _SORT not in plan, f"sorted: {statement}"


def test_the_check_finds_a_scan(path: Path, filled: Store) -> None:
    """A check that cannot fail proves nothing."""
    ((_, plan),) = plans(path, [("SELECT id FROM bounce WHERE why = ?", ("x",))])
    assert any(_BARE_SCAN.match(step) for step in plan)
