"""What only a server does: sign-in, order of text, faults of the network, writers in turn."""

import threading
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

from bounce_watch.store import (
    Server,
    Store,
    StoreBusy,
    StoreError,
    StoreMissing,
    StoreNotWritable,
    StorePermanent,
    StoreRefused,
    StoreUnreachable,
)
from bounce_watch.store.check import check_server
from bounce_watch.store.database.migrate import HEAD
from bounce_watch.store.database.postgres import server_at
from tests.servers.postgres import PASSWORD, Postgres
from tests.servers.stores import Stores
from tests.store.committed import committed
from tests.store.rows import open_impatient, reading
from tests.store.values import NOW, body, place


@pytest.fixture
def server(stores: Stores) -> Server:
    return stores.empty()


@pytest.fixture(scope="module")
def alone() -> Iterator[Postgres]:
    """A server that a test may stop."""
    with Postgres() as server:
        yield server


def test_the_steps_make_the_tables_as_they_are_declared(server: Server) -> None:
    Store.open(server).close()
    with reading(server) as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, SQLModel.metadata) == []


def test_an_empty_database_is_no_store_until_it_is_made(stores: Stores) -> None:
    empty = stores.fresh()
    with pytest.raises(StoreMissing, match="no store at postgresql://bouncewatch@/store_"):
        Store.open(empty, read_only=True)
    with Store.open(empty) as made:
        assert (made.was, made.backup) == (None, None)
    with Store.open(empty, read_only=True) as store:
        assert store.was == HEAD
        with pytest.raises(StoreNotWritable), store.transaction():
            pass


def test_two_processes_may_make_the_store_at_once(stores: Stores) -> None:
    empty, faults = stores.fresh(), []

    def make() -> None:
        try:
            Store.open(empty).close()
        except StoreError as error:
            faults.append(error)

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_database_that_sorts_as_people_do_is_refused(stores: Stores) -> None:
    postgres, name = stores.postgres, "store_sorted"
    postgres.sql(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'")
    with pytest.raises(StoreNotWritable, match="rules of a language") as caught:
        Store.open(server_at(postgres.url(name)))
    assert "createdb" in caught.value.repair
    postgres.drop(name)


def test_the_password_opens_and_is_never_shown(stores: Stores) -> None:
    postgres = stores.postgres
    name = postgres.database()
    server = server_at(postgres.url_on_loopback(name), PASSWORD)
    with Store.open(server) as store:
        assert PASSWORD not in f"{store.location} {server!r}"
    for password, told in (("wrong", "password authentication failed"), ("", "no password supplied")):
        with pytest.raises(StoreRefused, match=told) as caught:
            Store.open(server_at(postgres.url_on_loopback(name), password))
        assert "store.url" in caught.value.repair


def test_what_is_not_there_is_named(stores: Stores) -> None:
    with pytest.raises(StoreRefused, match='database "nowhere" does not exist'):
        Store.open(server_at(stores.postgres.url("nowhere")))
    with pytest.raises(StorePermanent, match="no address"):
        server_at("postgresql://user@host:port/name")


@pytest.mark.parametrize(
    ("address", "sslmode"),
    [
        ("postgresql://u@db.example/x", "require"),
        ("postgresql://u@db.example/x?sslmode=verify-full", "verify-full"),
        ("postgres://u@127.0.0.1/x", None),
        ("postgresql://u@localhost/x", None),
        ("postgresql:///x?host=/run/postgresql", None),
        ("postgresql://u@/x?host=db1.example,db2.example", "require"),
        ("postgresql://u@/x?host=localhost:5432&host=db2.example:5432", "require"),
        ("postgresql://u@/x?host=127.0.0.1,localhost", None),
    ],
)
def test_the_network_is_crossed_with_tls_only(address: str, sslmode: str | None) -> None:
    assert server_at(address).url.query.get("sslmode") == sslmode


def test_a_server_that_is_away_is_a_passing_fault(alone: Postgres) -> None:
    with Store.open(server_at(alone.url(alone.database()))) as store:
        alone.stop()
        for _ in range(2):
            with pytest.raises(StoreUnreachable):
                committed(store).mailboxes.note_fetch(NOW)
        alone.start()
        committed(store).mailboxes.note_fetch(NOW)
        assert store.mailboxes.last_success_fetch_at() == NOW


def test_a_writer_waits_for_the_other_and_not_for_ever(server: Server) -> None:
    with Store.open(server) as store, open_impatient(server, "50ms") as other, store.transaction() as tx:
        tx.messages.add_message(**place("1"), **body())
        assert other.mailboxes.last_success_fetch_at() is None  # a reader does not wait
        with pytest.raises(StoreBusy), other.transaction():
            pass


_NEWEST = text("SELECT coalesce(max(id), 0), count(*) FROM message")


def test_row_numbers_appear_in_their_order(server: Server) -> None:
    """A digest takes the rows up to the newest number: none with a smaller one may come later."""
    seen: list[tuple[int, int]] = []
    stop = threading.Event()

    def write(mailbox: str) -> None:
        with Store.open(server) as store:
            for number in range(40):
                with store.transaction() as tx:
                    tx.messages.add_message(**place(str(number), mailbox=mailbox), **body())

    def look() -> None:
        with Store.open(server) as store:
            while not stop.is_set():
                with store.open_session() as session:
                    newest, count = session.execute(
                        text("SELECT coalesce(max(id), 0), count(*) FROM message")
                    ).one()
                seen.append((newest, count))

    reader = threading.Thread(target=look)
    writers = [threading.Thread(target=write, args=(f"maildir:{name}",)) for name in "abc"]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    # Nothing was deleted or undone, so as many rows must be there as the newest number says.
    assert all(newest == count for newest, count in seen)
    assert len({newest for newest, _ in seen}) > 1


def test_the_server_is_checked(server: Server) -> None:
    found = {check.name: check for check in check_server(server)}
    assert [found[name].state for name in ("server", "order")] == ["ok", "ok"]
    assert found["durability"].state == "failure"
    assert "fsync" in found["durability"].text
