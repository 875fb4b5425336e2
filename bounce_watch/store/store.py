"""The store as others see it: open it, ask it, or write in one transaction."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType

from sqlalchemy import Engine
from sqlmodel import Session

from bounce_watch import crash
from bounce_watch.model import OutboxState
from bounce_watch.store.errors import StoreNotWritable, translated
from bounce_watch.store.lock import ProcessLock
from bounce_watch.store.migrate import migrate as run_migrations
from bounce_watch.store.migrate import require_head
from bounce_watch.store.opening import for_writing, open_engine, prepare_file, require_file
from bounce_watch.store.questions import Questions
from bounce_watch.store.records import OutboxEntry, OutgoingMail, QuarantineEntry
from bounce_watch.store.rooms import session_on
from bounce_watch.store.transaction import Transaction
from bounce_watch.store.upkeep_file import empty_log


class Store(Questions):
    """A store that is open. Use as a context manager; `path` is its file.

    Every question is answered from one consistent view. What changes anything is either a short
    transaction of its own here, or a method of `Transaction`.
    """

    def __init__(self, path: Path, engine: Engine, *, read_only: bool, backup: Path | None = None) -> None:
        self.path = path
        self.read_only = read_only
        self.backup = backup
        self._engine = engine

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False, migrate: bool = True) -> "Store":
        """Open the store at `path`; create and migrate it unless told otherwise.

        Raises StoreMissing (read-only, nothing there), StoreTooOld, StoreTooNew, StoreNotWritable,
        StoreDamaged or StoreBusy, each with its repair. A store that holds anything is copied before
        a migration; `backup` then names the copy.
        """
        if read_only:
            require_file(path)
        else:
            prepare_file(path)
        engine = open_engine(path, read_only=read_only)
        backup = None
        try:
            with translated():
                if migrate and not read_only:
                    backup = run_migrations(engine, path)
                else:
                    require_head(engine, path)
        except BaseException:
            engine.dispose()
            raise
        return cls(path, engine, read_only=read_only, backup=backup)

    def close(self) -> None:
        """Close the file; repeating it changes nothing."""
        self._engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def lock(self) -> ProcessLock:
        """Return the lock that lets one process at a time work with this store."""
        return ProcessLock(self.path)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write in one transaction: committed to the disk at the end, undone when the block raises.

        Raises StoreBusy when another process writes for more than 10 seconds, StoreFull, or
        StoreNotWritable for a store opened read-only.
        """
        if self.read_only:
            raise StoreNotWritable("The store was opened for reading only.")
        with session_on(for_writing(self._engine)) as session:
            crash.point("store.begun")
            yield Transaction(session)
            session.flush()
            crash.point("store.commit")
        crash.point("store.committed")

    def empty_log(self) -> bool:
        """Empty the log beside the file, where deleted rows live on; False when a reader is in the way."""
        return empty_log(self.path)

    def _reading(self) -> AbstractContextManager[Session]:
        return session_on(self._engine)

    def start_run(self, now: datetime) -> int:
        """Note a new run and return its epoch."""
        with self.transaction() as tx:
            return tx.start_run(now)

    def note_fetch(self, now: datetime) -> None:
        """Note that the mailbox was read without a fault."""
        with self.transaction() as tx:
            tx.note_fetch(now)

    def claim(
        self, number: int, owner: str, now: datetime, lease_seconds: float = 600
    ) -> OutgoingMail | None:
        """Take the lease of a pending mail, committed before this returns; None when it is not due."""
        with self.transaction() as tx:
            return tx.claim(number, owner, now, lease_seconds)

    def finish(self, number: int, outcome: str, reply: str, now: datetime) -> OutboxState:
        """Note what became of a claimed mail (sent, later, failed, stop, unknown)."""
        with self.transaction() as tx:
            return tx.finish(number, outcome, reply, now)

    def recover(self, now: datetime) -> tuple[OutboxEntry, ...]:
        """Mark what a dead process was sending as `unknown`; the caller holds the process lock."""
        with self.transaction() as tx:
            return tx.recover(now)

    def decide(self, number: int, state: OutboxState, now: datetime, why: str = "") -> None:
        """Settle an `unknown` mail."""
        with self.transaction() as tx:
            tx.decide(number, state, now, why)

    def release(self, numbers: Collection[int] | None, now: datetime) -> int:
        """Let held mails go, all for None; return how many."""
        with self.transaction() as tx:
            return tx.release(numbers, now)

    def abandon(self, numbers: Collection[int], now: datetime) -> int:
        """Give up mails; return how many."""
        with self.transaction() as tx:
            return tx.abandon(numbers, now)

    def retry(self, numbers: Collection[int] | None, now: datetime) -> int:
        """Send failed mails again, all for None; return how many."""
        with self.transaction() as tx:
            return tx.retry(numbers, now)

    def requeue(self, number: int) -> tuple[QuarantineEntry, bytes]:
        """Give quarantined bytes back to be read again."""
        with self.transaction() as tx:
            return tx.requeue(number)


def open_store(path: Path, *, read_only: bool = False, migrate: bool = True) -> Store:
    """Open the store at `path`; see `Store.open`."""
    return Store.open(path, read_only=read_only, migrate=migrate)
