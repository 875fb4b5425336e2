"""Little room on the disk, none at all, and a file system that may only be read."""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bounce_watch.cli.common.exit_status import Exit, status_of
from bounce_watch.cli.common.open_store import run_context
from bounce_watch.pipeline import run_due_work
from bounce_watch.pipeline.result import CycleResult
from bounce_watch.send import FolderSender
from bounce_watch.store import Store, StoreError, StoreFull, StoreNotWritable
from bounce_watch.store.copy import copy_store
from bounce_watch.store.database import migrate
from bounce_watch.store.database.sqlite import open_engine, prepare_file
from tests.pipeline.conftest import Home, home, ndr, open_home, reader, store_line

__all__ = ["home", "open_home", "reader", "store_line"]

pytestmark = [pytest.mark.slow, pytest.mark.about_files("the room on its disk; a server's is its own matter")]

SMALL = 4 * 1024 * 1024
GREEDY = ('path = "store.db"', 'path = "store.db"\nkeep_free_mb = 1e12')


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = os.getuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", place], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path) -> Path:
    """Leave not one byte."""
    path = disk / "something else"
    with path.open("ab", buffering=0) as file:
        for size in (65_536, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path


def test_with_little_room_mail_waits_in_the_mailbox(open_home: Callable[..., Home]) -> None:
    """Nothing is read, stored or moved; what else is due goes on, and the digest says what to do."""
    home = open_home(GREEDY)
    home.deliver(ndr(), "1")
    with pytest.raises(StoreFull, match="MB are free") as caught:
        home.look()
    assert "keep_free_mb" in caught.value.repair
    assert len(home.waiting()) == 1
    assert home.context.store.mailboxes.last_success_fetch_at() is None
    home.clock.now += timedelta(hours=16, minutes=45)  # after the time that a digest waits for a mailbox
    result = CycleResult()
    with FolderSender(home.folder / "sent") as sender:
        run_due_work(home.context, sender, None, result)
    (digest,) = home.sent()
    told = " ".join(digest.replace(b"=\r\n", b"").decode("utf-8").split())
    assert "Free space on the store's disk. Only" in told
    roomy = open_home()
    assert roomy.look().messages == 1
    assert not roomy.waiting()


def test_a_disk_that_is_full_keeps_all_in_the_mailbox_and_takes_it_when_there_is_room(
    open_home: Callable[..., Home], disk: Path
) -> None:
    """A real file system of 4 MB: nothing is quarantined, and the service needs no restart."""
    home = open_home(('path = "store.db"', f'path = "{disk}/store.db"\nkeep_free_mb = 0'))
    home.deliver(ndr(number=1), "1")
    home.look()
    for number in range(2, 13):
        home.deliver(ndr(f"c{number}@larkfield.example", number=number), str(number))
    filler = fill(disk)
    for _ in range(4):
        with pytest.raises(StoreFull):
            home.look()
    assert len(home.filed()) == 1
    filler.unlink()
    home.look()
    assert len(home.filed()) == 12
    assert not home.context.store.quarantine.list()
    mails = home.sent()
    assert len(mails) == len(set(mails)) == len(home.context.store.outbox.list())


def test_a_store_that_may_only_be_read_is_refused_with_its_place(
    open_home: Callable[..., Home], disk: Path
) -> None:
    home = open_home(('path = "store.db"', f'path = "{disk}/store.db"\nkeep_free_mb = 0'))
    home.context.store.close()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(StoreNotWritable, match=str(disk)) as caught, run_context(home.config):
        pytest.fail("it was opened for writing")
    assert caught.value.repair
    assert status_of(caught.value) is Exit.REFUSED


def an_older_store(path: Path) -> int:
    """Make a store of an early schema with rows that take half the disk; return how many."""
    prepare_file(path)
    engine = open_engine(path, read_only=False)
    migrate.migrate(engine, path, head="0006")
    with engine.begin() as connection:
        for number in range(400):
            connection.exec_driver_sql("INSERT INTO meta VALUES (?, ?)", (str(number), "x" * 3000))
    engine.dispose()
    return rows(path)


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM meta").fetchone()[0])


def test_a_migration_on_a_full_disk_leaves_the_store_as_it_was_and_is_made_later(disk: Path) -> None:
    """No half backup stays either: it took the room that was left, and looked like a whole one."""
    path = disk / "store.db"
    count = an_older_store(path)
    filler = fill(disk)
    os.truncate(filler, filler.stat().st_size - 500_000)
    for _ in range(2):
        with pytest.raises(StoreFull, match="full") as caught:
            Store.open(path)
        assert caught.value.repair
        assert sorted(file.name for file in disk.glob("store*")) == ["store.db"]
        assert rows(path) == count
    filler.unlink()
    with Store.open(path) as store:
        assert store.backup is not None
        assert rows(path) == rows(store.backup) == count


def test_a_migration_on_a_disk_that_may_only_be_read_says_so(disk: Path) -> None:
    path = disk / "store.db"
    count = an_older_store(path)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(StoreNotWritable, match=str(path)):
        Store.open(path)
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    Store.open(path).close()
    assert rows(path) == count


def test_a_copy_to_a_full_disk_copies_nothing_and_can_be_made_again(disk: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "source.db", disk / "target.db"
    count = an_older_store(source)
    Store.open(source).close()
    filler = fill(disk)
    for room in (0, 1_000_000):
        os.truncate(filler, filler.stat().st_size - room)
        with pytest.raises(StoreFull, match="full"):
            copy_store(source, target)
    filler.unlink()
    assert copy_store(source, target)["meta"] == count
    assert rows(target) == rows(source) == count


def test_a_copy_from_and_to_a_disk_that_may_only_be_read_says_so(disk: Path, tmp_path: Path) -> None:
    path, source = disk / "store.db", tmp_path / "source.db"
    for place in (path, source):
        Store.open(place).close()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(StoreError, match="cannot be") as caught:
        copy_store(path, tmp_path / "target.db")
    assert "write in its folder" in caught.value.repair
    with pytest.raises(StoreNotWritable, match="cannot be written"):
        copy_store(source, disk / "other.db")
