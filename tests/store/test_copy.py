"""A whole store moves from a file to a server and back: each row, in order, and no number comes twice."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel, func, select

from bounce_watch.model import Details, OutboxState
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question
from bounce_watch.store import LockHeld, NotThere, Store, StoreLocation, StoreMissing, StoreTooOld, tables
from bounce_watch.store.copy import copy_store, nobody_else
from bounce_watch.store.database.location import work_with
from bounce_watch.store.queries.counts import keep_counts
from tests.servers.stores import Stores
from tests.store.blank import lay_blank_store
from tests.store.committed import committed
from tests.store.conftest import Enqueue, Ingest
from tests.store.test_digest import MONDAY, close_day
from tests.store.test_incidents import found
from tests.store.test_quarantine import put
from tests.store.values import BOUNCE, NOW, body, place

DAY = timedelta(days=1)
ANSWER = DnsFinding(
    question=Question.SPF,
    subject="contoso.example",
    name="contoso.example",
    verdict=DnsVerdict.ABSENT,
    record=None,
    why="no SPF record",
    asked_at=NOW,
    proves=True,
)
ODD = "Ünknown \x00 \ud800 😀 %s ' \\ \t\n" + "x" * 5000


@pytest.fixture
def filled(store: Store, ingest: Ingest, enqueue: Enqueue) -> Store:
    """A store with rows in each table, some that name others of their own table, and gaps in the numbers."""
    ids = [ingest(replace(BOUNCE, diagnostic_code=ODD, details=Details(message_size=10**12)))[1][0].bounce_id]
    ingest(BOUNCE, replace(BOUNCE, occurred_at=NOW + DAY, evidence=None, sender=None), fingerprint="again")
    ingest(BOUNCE, fingerprint="again")
    put(store, uid="odd")
    sent = enqueue()
    store.claim(sent, "me", NOW)
    store.finish(sent, "sent", "250 ok", NOW)
    with store.transaction() as tx:
        first = tx.incidents.save_finding(found(*ids), NOW, quiet=True).incident.number
        tx.incidents.resolve(first, NOW)
        assert tx.incidents.save_finding(found(*ids), NOW + 3 * DAY, quiet=False).incident.number == first + 1
        tx.outbox.withhold("anna@contoso.example", "unknown", "never_to", NOW, report_id=1)
        tx.maintenance.add_audit_entry("purge", "admin", {"messages": 2, "spared": "none"}, NOW)
        tx.dns.record([ANSWER])
        tx.state.start_run(NOW)
        keep_counts(tx.session, [1])
        tx.session.delete(tx.session.get_one(tables.Outgoing, enqueue_another(tx)))
    close_day(store, MONDAY, NOW)
    return store


def enqueue_another(tx: Any) -> int:
    """Return the number of a mail that is deleted at once: no other may ever have it."""
    from tests.store.values import LETTER

    letter = replace(LETTER, event_key="gone")
    tx.outbox.enqueue(
        letter, content=b"x", bw_id="gone", state=OutboxState.HELD, now=NOW, cause="mailbox_full"
    )
    number: int = tx.outbox.list(limit=1)[0].id
    return number


@pytest.fixture
def elsewhere(kind: str, tmp_path: Path, stores: Stores) -> StoreLocation:
    """An empty place of the other kind: a file that is not there, or a server's store without rows."""
    return stores.empty() if kind == "sqlite" else tmp_path / "elsewhere" / "copy.db"


def rows_of(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.open_session() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.connection().execute(table.select().order_by(*table.primary_key.columns))
            ]
            for table in SQLModel.metadata.sorted_tables
        }


def test_each_row_of_each_table_is_the_same_there(filled: Store, elsewhere: StoreLocation) -> None:
    steps: list[tuple[int, int]] = []
    copied = copy_store(filled.location, elsewhere, progress=lambda done, total: steps.append((done, total)))
    before = rows_of(filled)
    assert all(before.values())
    with Store.open(elsewhere, read_only=True) as store:
        assert rows_of(store) == before
    assert copied == {name: len(rows) for name, rows in before.items()}
    assert steps[-1] == (2 * copied.total(), 2 * copied.total())
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})


def test_a_number_that_was_given_out_is_never_given_again(filled: Store, elsewhere: StoreLocation) -> None:
    """The newest mail was deleted before; in each table the next row is beyond all that ever were."""
    copy_store(filled.location, elsewhere)
    with Store.open(elsewhere) as store, store.transaction() as tx:
        newest = tx.session.exec(select(func.max(tables.Outgoing.id))).one()
        assert enqueue_another(tx) == newest + 2
        assert tx.messages.add_message(**place("new"), **body()) == 5
        tx.maintenance.add_audit_entry("export", "admin", {}, NOW)
        assert tx.session.exec(select(func.max(tables.Audit.id))).one() == 2


def test_it_goes_there_and_back(filled: Store, elsewhere: StoreLocation, tmp_path: Path) -> None:
    """From a file to a server to a file, and from a server to a file to a file."""
    copy_store(filled.location, elsewhere)
    copy_store(elsewhere, tmp_path / "back.db")
    with Store.open(tmp_path / "back.db") as store:
        assert rows_of(store) == rows_of(filled)
        with store.transaction() as tx:
            assert enqueue_another(tx) == 3


def test_a_place_that_holds_anything_is_refused_and_left_as_it_is(
    filled: Store, elsewhere: StoreLocation
) -> None:
    with Store.open(elsewhere) as store:
        committed(store).state.start_run(NOW)
    with pytest.raises(NotThere, match=r"holds something already \(in meta\)") as caught:
        copy_store(filled.location, elsewhere)
    assert "cannot be joined" in caught.value.repair
    with Store.open(elsewhere, read_only=True) as store:
        assert Counter(name for name, rows in rows_of(store).items() if rows) == {"meta": 1}


def test_what_breaks_off_leaves_nothing_and_can_be_done_again(
    filled: Store, elsewhere: StoreLocation
) -> None:
    def break_off(done: int, total: int) -> None:
        if done > total * 0.7:  # all is written, half of it was read back
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_store(filled.location, elsewhere, progress=break_off)
    with Store.open(elsewhere, read_only=True) as store:
        assert not any(rows_of(store).values())
    copy_store(filled.location, elsewhere)
    with Store.open(elsewhere, read_only=True) as store:
        assert rows_of(store) == rows_of(filled)


def test_nobody_may_be_at_work_with_either(filled: Store, elsewhere: StoreLocation) -> None:
    for place_, copying in ((filled.location, elsewhere), (elsewhere, filled.location)):
        with work_with(place_), pytest.raises(LockHeld), nobody_else(place_, copying):
            pass
    with nobody_else(filled.location, elsewhere) as still:
        still()


def test_a_watcher_that_comes_meanwhile_undoes_the_copy(stores: Stores, tmp_path: Path) -> None:
    server, target = stores.empty(), tmp_path / "copy.db"
    with Store.open(server) as store:
        committed(store).state.start_run(NOW)
    raised = pytest.raises(LockHeld, match="being worked with")
    with nobody_else(server, target) as still, work_with(server), raised:
        copy_store(server, target, before_commit=still)
    with Store.open(target, read_only=True) as store:
        assert not any(rows_of(store).values())


def test_a_database_in_which_nothing_was_made_yet_gets_its_tables(path: Path, stores: Stores) -> None:
    lay_blank_store(path)
    with Store.open(path) as store:
        committed(store).state.start_run(NOW)
        fresh = stores.fresh()
        copy_store(path, fresh)
        with Store.open(fresh, read_only=True) as copy:
            assert rows_of(copy) == rows_of(store)
    with pytest.raises(StoreMissing):
        copy_store(stores.fresh(), path)


def test_an_older_store_is_brought_up_to_date_first(path: Path, tmp_path: Path) -> None:
    from bounce_watch.store.database import migrate
    from bounce_watch.store.database.sqlite import open_engine, prepare_file

    prepare_file(path)
    engine = open_engine(path, read_only=False)
    migrate.migrate(engine, path, head="0006")
    engine.dispose()
    target = lay_blank_store(tmp_path / "copy.db")
    for source, there in ((path, target), (target, path)):
        with pytest.raises(StoreTooOld):
            copy_store(source, there)
