"""Copies, checks and rewriting of the file: sound, closed to others, and nothing is ever written over."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bounce_watch.store import NotThere, Store, StoreDamaged, StoreMissing, StoreNotWritable, work_with
from bounce_watch.store.check import check_file, check_modes
from bounce_watch.store.database import sqlite_file as files
from bounce_watch.store.database.sqlite_file import back_up_to, companions, empty_log, vacuum
from tests.store.conftest import Ingest
from tests.store.values import NOW


def rows_in(path: Path, table: str = "bounce") -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])


def states(path: Path) -> dict[str, str]:
    return {check.name: check.state for check in check_file(path)}


def test_a_backup_is_one_whole_file_for_the_owner_alone(
    store: Store, path: Path, ingest: Ingest, tmp_path: Path
) -> None:
    """What still lies in the log is in it too, and the last call of the bar says that all is done."""
    for _ in range(20):
        ingest()
    target, steps = tmp_path / "new" / "copy.db", []
    done = back_up_to(path, target, progress=lambda now, all_: steps.append((now, all_)))
    assert steps[-1][0] == steps[-1][1] > 0
    assert (done.path, done.size, rows_in(target)) == (target, target.stat().st_size, 20)
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.parent.stat().st_mode & 0o777 == 0o700
    with Store.open(target, read_only=True) as copy:
        assert copy.history.count() == 20
    assert [file.name for file in target.parent.iterdir() if "part" in file.name] == []


def test_a_backup_while_others_write_is_one_moment_of_the_store(
    store: Store, path: Path, ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing between all steps neither starts the copy anew nor tears it."""
    monkeypatch.setattr(files, "PAGES_AT_ONCE", 1)
    ingest()
    steps = 0

    def write(_done: int, _all: int) -> None:
        nonlocal steps
        steps += 1
        if steps % 5 == 0:
            ingest()

    back_up_to(path, tmp_path / "copy.db", progress=write)
    assert steps > 20
    assert rows_in(tmp_path / "copy.db") == rows_in(tmp_path / "copy.db", "report") == 1
    assert rows_in(path) > 4


def test_a_backup_never_replaces_a_file_unasked(store: Store, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.write_text("mine")
    with pytest.raises(NotThere, match="exists") as caught:
        back_up_to(path, target)
    assert "--force" in caught.value.repair
    assert target.read_text() == "mine"
    back_up_to(path, target, replace=True)
    assert states(target)["pages"] == "ok"


def test_a_file_that_appears_meanwhile_is_not_replaced_either(
    store: Store, path: Path, tmp_path: Path
) -> None:
    target = tmp_path / "mine"

    def appears(_done: int, _all: int) -> None:
        target.write_text("mine")

    with pytest.raises(NotThere):
        back_up_to(path, target, progress=appears)
    assert target.read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir() if "part" in file.name] == []


def test_a_backup_over_the_store_itself_is_refused(store: Store, path: Path, ingest: Ingest) -> None:
    """Even with force: the copy would take the store's place under an open service."""
    ingest()
    with pytest.raises(NotThere, match="itself"):
        back_up_to(path, path.parent / ".." / path.parent.name / path.name, replace=True)
    assert rows_in(path) == 1


def test_a_damaged_store_gives_no_backup_and_says_so(store: Store, path: Path, ingest: Ingest) -> None:
    for _ in range(50):
        ingest()
    store.close()
    damage(path)
    with pytest.raises(StoreDamaged):
        back_up_to(path, path.parent / "copy.db")
    assert [file.name for file in path.parent.iterdir() if "copy" in file.name] == []
    assert "failure" in states(path).values()


def damage(path: Path) -> None:
    """Overwrite pages in the middle, as a failing disk does."""
    empty_log(path)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xde\xad\xbe\xef" * 4096)


def test_a_folder_that_may_not_be_written_is_named(store: Store, path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreNotWritable, match="cannot be written"):
        back_up_to(path, tmp_path / "file" / "copy.db")


def test_where_no_store_is_there_is_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        back_up_to(tmp_path / "none.db", tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_vacuum_gives_room_back_and_keeps_every_row(store: Store, path: Path, ingest: Ingest) -> None:
    for _ in range(50):
        ingest()
    with store.transaction() as tx:
        tx.session.connection().exec_driver_sql("CREATE TABLE ballast AS SELECT zeroblob(4000000) AS zeros")
    with store.transaction() as tx:
        tx.session.connection().exec_driver_sql("DROP TABLE ballast")
    store.close()
    before, after = vacuum(path)
    assert before - after > 3_500_000
    assert after == path.stat().st_size
    assert rows_in(path) == 50
    assert set(states(path).values()) == {"ok"}


def test_what_is_deleted_is_gone_from_the_file_and_from_the_log(
    store: Store, path: Path, ingest: Ingest
) -> None:
    """Secure delete overwrites it; emptying the log takes the copy that lay there."""
    with store.transaction() as tx:
        number = tx.quarantine.add(
            mailbox="m", validity=1, uid="1", sha256="0", raw=b"tell-tale " * 2_000, reason="",
            received_at=None, now=NOW,
        )  # fmt: skip
    assert b"tell-tale" in everything(path)
    with store.transaction() as tx:
        tx.session.connection().exec_driver_sql(f"DELETE FROM quarantined WHERE id = {number}")
    assert empty_log(path)
    assert b"tell-tale" not in everything(path)


def everything(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in (path, *companions(path)) if file.exists())


def test_every_file_of_a_store_is_closed_to_others(store: Store, path: Path, ingest: Ingest) -> None:
    ingest()
    with work_with(path):
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(modes) == {f"{path.name}{ending}" for ending in ("", "-wal", "-shm", ".lock")}
    assert set(modes.values()) == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_may_read_is_named_with_its_repair(store: Store, path: Path) -> None:
    copy = path.with_name(path.name + ".schema-0001.bak")
    copy.write_bytes(b"")
    copy.chmod(0o640)
    found = check_modes(path)
    assert found.state == "failure"
    assert found.repair == f"chmod 600 '{copy}'"


def test_a_row_that_names_one_that_is_gone_is_found(store: Store, path: Path, ingest: Ingest) -> None:
    ingest()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM message")
    assert states(path) == {"files": "ok", "pages": "ok", "references": "failure", "room": "ok"}
