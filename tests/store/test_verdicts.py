"""Verdicts of stored bounces: found by their catalogue, replaced, and given back to the very rows."""

from dataclasses import replace
from typing import Any

from bounce_watch.model import Cause, Certainty, Details, Owner
from bounce_watch.store import Store
from bounce_watch.store.tables import Bounce as Row
from tests.store.conftest import Ingest
from tests.store.values import BOUNCE, NOW

OLD = replace(BOUNCE, catalogue="1", certainty=Certainty.NOT_TOLD, details=Details(as_number="7"), why="old")
NEW = replace(
    OLD, cause=Cause.MAILBOX_FULL, owner=Owner.NOBODY, certainty=Certainty.TOLD, details=None, catalogue="2"
)


def rows(store: Store) -> list[tuple[Any, ...]]:
    with store.open_session() as session:
        table = Row.__table__  # type: ignore[attr-defined]
        return [tuple(row) for row in session.connection().execute(table.select().order_by(table.c.id))]


def test_a_verdict_is_replaced_and_given_back(store: Store, ingest: Ingest) -> None:
    ingest(OLD)
    ingest(replace(OLD, catalogue=None, diagnostic_code="550 the 100% _mill_ sleeps"))
    ingest(replace(OLD, catalogue="2"))
    before = rows(store)
    found = store.verdicts.of_other_catalogues("2", most=10)
    assert [(one.id, one.bounce.catalogue, one.report.format) for one in found] == [
        (1, "1", "rfc3464"),
        (2, None, "rfc3464"),
    ]
    assert [one.id for one in store.verdicts.of_other_catalogues("2", most=1, newest=True)] == [2]
    assert [one.id for one in store.verdicts.of_other_catalogues("2", most=9, text="100% _MILL")] == [2]
    assert not store.verdicts.of_other_catalogues("2", most=9, since=NOW.replace(year=2030))
    with store.transaction() as tx:
        tx.verdicts.replace({1: NEW, 2: NEW})
    row = next(one for one in store.history.find() if one.id == 1)
    assert (row.bounce.cause, row.bounce.owner, row.bounce.details) == (Cause.MAILBOX_FULL, "nobody", None)
    assert row.first_verdict == {
        "cause": "recipient_unknown",
        "owner": "sender",
        "certainty": "not_told",
        "details": {"as_number": "7"},
        "catalogue": "1",
    }
    assert store.verdicts.judged_again(most=10) == (1, 2)
    with store.transaction() as tx:
        tx.verdicts.restore([1, 2])
    assert rows(store) == before
    assert not store.verdicts.judged_again(most=10)


def test_what_is_not_understood_has_words(store: Store, ingest: Ingest) -> None:
    ingest(OLD)
    ingest(replace(OLD, certainty=Certainty.TOLD))
    ingest(replace(OLD, certainty=Certainty.TOLD, cause=Cause.UNKNOWN))
    ingest(replace(OLD, diagnostic_code=None))
    assert [one.id for one in store.verdicts.not_understood(since=NOW, most=9)] == [3, 1]


def test_the_count_is_that_of_one_catalogue(store: Store) -> None:
    assert store.verdicts.otherwise("0.1.0+a") is None
    with store.transaction() as tx:
        tx.verdicts.note_otherwise("0.1.0+a", 12)
    assert store.verdicts.otherwise("0.1.0+a") == 12
    assert store.verdicts.otherwise("0.1.0+b") is None
