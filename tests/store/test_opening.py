"""The file: its mode, its settings, and one clear fault for each way it cannot be opened."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from bounce_watch.store import (
    MessageState,
    Store,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreMissing,
    StoreNotWritable,
    StoreTemporary,
    open_store,
)
from bounce_watch.store.database import sqlite as opening_module
from bounce_watch.store.database.driver_errors import translated
from tests.store.committed import state_at
from tests.store.values import NOW, body, place


def test_the_file_and_its_companions_are_for_the_owner_alone(store: Store, path: Path) -> None:
    with store.transaction() as tx:
        tx.messages.add_message(**place(), **body())
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {path.name: 0o600, f"{path.name}-wal": 0o600, f"{path.name}-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_mode_is_set_before_anything_is_written(path: Path) -> None:
    opening_module.prepare_file(path)
    assert path.stat().st_size == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_may_read_is_tightened(path: Path) -> None:
    Store.open(path).close()
    path.chmod(0o644)
    Store.open(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("busy_timeout", 10_000),
    ],
)
def test_every_connection_carries_our_settings(path: Path, name: str, value: object) -> None:
    Store.open(path).close()
    engine = opening_module.open_engine(path, read_only=False)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value
    engine.dispose()


def test_a_path_with_odd_signs_is_taken_as_it_is(tmp_path: Path) -> None:
    odd = tmp_path / "a%20b?mode=ro#c d" / "ä.db"
    Store.open(odd).close()
    assert odd.is_file()
    with Store.open(odd, read_only=True) as reader:
        assert reader.history.count() == 0


def test_a_reader_without_a_store_is_told_what_to_do(path: Path) -> None:
    with pytest.raises(StoreMissing) as caught:
        open_store(path, read_only=True)
    assert "run --once" in caught.value.repair
    assert not path.exists()


def test_a_reader_sees_what_is_committed_and_cannot_write(store: Store, path: Path) -> None:
    with open_store(path, read_only=True) as reader:
        with store.transaction() as tx:
            tx.messages.add_message(**place(), **body())
            assert state_at(reader, **place()) is None
        assert state_at(reader, **place()) is MessageState.STORED
        with pytest.raises(StoreNotWritable), reader.transaction():
            pass


def test_a_reader_works_after_the_writer_is_gone(store: Store, path: Path) -> None:
    """Closing the last connection removes the WAL; a reader must not need it."""
    with store.transaction() as tx:
        tx.messages.add_message(**place(), **body())
    store.close()
    assert not path.with_name(path.name + "-wal").exists()
    with open_store(path, read_only=True) as reader:
        assert state_at(reader, **place()) is MessageState.STORED


def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("a letter, not a database. " * 100)
    path.chmod(0o600)
    with pytest.raises(StoreDamaged, match="not a database"):
        Store.open(path)
    assert path.read_text().startswith("a letter")


def test_a_folder_in_the_place_of_the_file_is_a_clear_fault(tmp_path: Path) -> None:
    with pytest.raises(StoreNotWritable, match="cannot be written") as caught:
        Store.open(tmp_path)
    assert caught.value.repair


def test_a_second_writer_waits_for_the_first(store: Store, path: Path) -> None:
    """Two read-then-write transactions at once must not fail with 'database is locked'."""
    done: list[int] = []

    def write(uid: str) -> None:
        with Store.open(path) as other, other.transaction() as tx:
            done.append(tx.messages.add_message(**place(uid), **body()))

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(1, 9))


def test_a_lock_held_too_long_is_a_temporary_fault(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening_module, "BUSY_SECONDS", 0)
    with Store.open(path) as other, store.transaction() as tx:
        tx.state.start_run(NOW)
        with pytest.raises(StoreBusy), other.transaction():
            pytest.fail("the lock is taken at the begin, not at the first write")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Limit every store opened from here on to 100 pages: the same SQLITE_FULL as a full disk."""

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count=100").close()

    event.listen(Pool, "connect", limit)
    yield
    event.remove(Pool, "connect", limit)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_undoes_the_transaction_and_is_temporary(path: Path) -> None:
    with Store.open(path) as store:
        with pytest.raises(StoreFull) as caught, store.transaction() as tx:
            tx.quarantine.add(
                **place(), sha256="0", raw=bytes(2**20), reason="big", received_at=None, now=NOW
            )
        assert isinstance(caught.value, StoreTemporary)
        assert state_at(store, **place()) is None
        with store.transaction() as tx:
            tx.messages.add_message(**place(), **body())
        assert state_at(store, **place()) is MessageState.STORED


def test_faults_of_the_driver_keep_their_cause(tmp_path: Path) -> None:
    """SQLite says "cannot open" on a full disk too, so that this one may pass."""
    with pytest.raises(StoreTemporary) as caught, translated():
        sqlite3.connect(tmp_path)
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)


def test_a_bug_in_a_query_is_no_fault_of_the_store() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        with pytest.raises(sqlite3.OperationalError, match="no such table") as caught, translated():
            connection.execute("SELECT * FROM nowhere")
        assert not isinstance(caught.value, StoreError)


def test_a_file_that_lost_its_content_is_not_taken_for_a_new_store(tmp_path: Path) -> None:
    """A new store would reply to everything again."""
    path = tmp_path / "store.db"
    open_store(path).close()
    for file in tmp_path.iterdir():
        file.write_bytes(b"") if file == path else file.unlink()
    for read_only in (True, False):
        with pytest.raises(StoreDamaged, match="empty"):
            open_store(path, read_only=read_only)
    assert path.stat().st_size == 0
