"""The store as others see it: open it, ask it, or write in one transaction."""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType

from sqlalchemy import Engine
from sqlmodel import Session

from bounce_watch.model import OutboxState
from bounce_watch.store.database.driver_errors import translated
from bounce_watch.store.database.errors import StoreNotWritable
from bounce_watch.store.database.location import (
    Place,
    for_one_row,
    for_reading,
    open_engine,
    prepare,
    require_store,
)
from bounce_watch.store.database.migrate import find_revision, require_head
from bounce_watch.store.database.migrate import migrate as run_migrations
from bounce_watch.store.database.session import session_on
from bounce_watch.store.database.sqlite import for_writing
from bounce_watch.store.database.sqlite_file import empty_log
from bounce_watch.store.database.workers import Alone, Watcher
from bounce_watch.store.questions import Questions
from bounce_watch.store.records import OutboxEntry, OutgoingMail, QuarantineEntry
from bounce_watch.store.transaction import Transaction
from bounce_watch.testing import crash_points


class Store(Questions):
    """A store that is open. Use as a context manager; `place` is its file or server.

    Every question is answered from one consistent view. What changes anything is either a short
    transaction of its own here, or a method of `Transaction`.
    """

    def __init__(self, place: Place, engine: Engine, *, read_only: bool) -> None:
        self.place = place
        self.read_only = read_only
        self.watcher: Watcher = Alone()
        """This process, beside others that work with the store; alone where none can."""
        self.was: str | None = None
        """The revision that was found."""
        self.backup: Path | None = None
        self._engine = engine
        self._seen = for_reading(engine)

    @classmethod
    def open(cls, place: Place, *, read_only: bool = False, migrate: bool = True) -> "Store":
        """Open the store at `place`; create and migrate it unless told otherwise.

        Raises StoreMissing (read-only, nothing there), StoreTooOld, StoreTooNew, StoreNotWritable,
        StoreDamaged, StoreBusy or StoreUnreachable, each with its repair. A file that holds anything is
        copied before a migration; `backup` then names the copy.
        """
        if read_only:
            require_store(place)
        else:
            prepare(place)
        store = cls(place, open_engine(place, read_only=read_only), read_only=read_only)
        try:
            with translated():
                store._shape(migrate=migrate and not read_only)
        except BaseException:
            store.close()
            raise
        return store

    def _shape(self, *, migrate: bool) -> None:
        """See to it that the store has the shape that this version works with."""
        self.was = find_revision(self._engine)
        if migrate:
            self.backup = run_migrations(self._engine, self.place)
        else:
            require_head(self._engine, self.place)

    def close(self) -> None:
        """Close the file; repeating it changes nothing."""
        self._engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write in one transaction: committed to the disk at the end, undone when the block raises.

        Raises StoreBusy when another process writes for more than 10 seconds, StoreFull, or
        StoreNotWritable for a store opened read-only.
        """
        with self._writing(for_writing(self._engine)) as tx:
            yield tx

    @contextmanager
    def _writing(self, engine: Engine) -> Iterator[Transaction]:
        if self.read_only:
            raise StoreNotWritable("The store was opened for reading only.")
        with session_on(engine) as session:
            crash_points.point("store.begun")
            yield Transaction(session)
            session.flush()
            crash_points.point("store.commit")
        crash_points.point("store.committed")

    def _settling_one_mail(self) -> AbstractContextManager[Transaction]:
        """Write in a transaction that locks one mail and makes no numbered rows: at a server it waits for
        nobody who stores messages."""
        return self._writing(for_one_row(self._engine))

    def empty_log(self) -> bool:
        """Empty the log beside the file, where deleted rows live on; False when a reader is in the way.

        A server recycles its own log.
        """
        return empty_log(self.place) if isinstance(self.place, Path) else True

    def _reading(self) -> AbstractContextManager[Session]:
        return session_on(self._seen)

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
        with self._settling_one_mail() as tx:
            return tx.claim(number, owner, now, lease_seconds)

    def finish(self, number: int, outcome: str, reply: str, now: datetime) -> OutboxState:
        """Note what became of a claimed mail (sent, later, failed, stop, unknown)."""
        with self._settling_one_mail() as tx:
            return tx.finish(number, outcome, reply, now)

    def recover(
        self, now: datetime, at_work: Callable[[], Collection[str]] = tuple
    ) -> tuple[OutboxEntry, ...]:
        """Mark what dead processes were sending as `unknown`; `at_work` returns the owners that are alive."""
        with self.transaction() as tx:
            return tx.recover(now, at_work)

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


def open_store(place: Place, *, read_only: bool = False, migrate: bool = True) -> Store:
    """Open the store at `place`; see `Store.open`."""
    return Store.open(place, read_only=read_only, migrate=migrate)
