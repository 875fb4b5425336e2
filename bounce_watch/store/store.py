"""The store: open it, query it, or write in one transaction."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from bounce_watch.model import OutboxState
from bounce_watch.store.database.driver_errors import translated
from bounce_watch.store.database.errors import StoreNotWritable
from bounce_watch.store.database.location import (
    StoreLocation,
    exists,
    for_one_row,
    for_reading,
    open_engine,
    prepare,
    remove_empty,
    require_store,
)
from bounce_watch.store.database.migrate import find_revision, require_head
from bounce_watch.store.database.migrate import migrate as run_migrations
from bounce_watch.store.database.session import OpenSession, lend, session_on
from bounce_watch.store.database.sqlite import for_writing
from bounce_watch.store.database.sqlite_file import empty_log
from bounce_watch.store.database.workers import OnlyWorker, Worker
from bounce_watch.store.dns import DnsFindings, DnsQueries
from bounce_watch.store.incidents.incidents import Incidents
from bounce_watch.store.incidents.queries import IncidentQueries
from bounce_watch.store.mailboxes import Mailboxes, MailboxQueries
from bounce_watch.store.maintenance.maintenance import Maintenance, MaintenanceQueries
from bounce_watch.store.messages.events import BounceEvents
from bounce_watch.store.messages.messages import MessageQueries, Messages
from bounce_watch.store.messages.quarantine import Quarantine, QuarantineQueries
from bounce_watch.store.messages.verdicts import VerdictQueries, Verdicts
from bounce_watch.store.outbox.owner_letters import OwnerLetters
from bounce_watch.store.outbox.pending_replies import PendingReplies
from bounce_watch.store.outbox.queries import OutboxQueries
from bounce_watch.store.outbox.queue import Outbox
from bounce_watch.store.privacy.search import Privacy, PrivacyQueries
from bounce_watch.store.queries.dead_addresses import DeadAddresses
from bounce_watch.store.queries.digest import DigestQueries, Digests
from bounce_watch.store.queries.history import History
from bounce_watch.store.queries.known_addresses import KnownAddresses
from bounce_watch.store.queries.letters import Letters
from bounce_watch.store.queries.overview import Overviews
from bounce_watch.store.queries.people import People
from bounce_watch.store.queries.summary import Summary
from bounce_watch.store.records import OutgoingMail
from bounce_watch.store.state import State, StateQueries
from bounce_watch.testing import crash_points


class StoreQueries:
    def __init__(self, reading: OpenSession) -> None:
        self.bounces = BounceEvents(reading)
        self.dead_addresses = DeadAddresses(reading)
        self.digests = DigestQueries(reading)
        self.dns = DnsQueries(reading)
        self.history = History(reading)
        self.incidents = IncidentQueries(reading)
        self.known_addresses = KnownAddresses(reading)
        self.letters = Letters(reading)
        self.mailboxes = MailboxQueries(reading)
        self.maintenance = MaintenanceQueries(reading)
        self.messages = MessageQueries(reading)
        self.outbox = OutboxQueries(reading)
        self.owner_letters = OwnerLetters(reading)
        self.overviews = Overviews(reading)
        self.people = People(reading)
        self.privacy = PrivacyQueries(reading)
        self.quarantine = QuarantineQueries(reading)
        self.state = StateQueries(reading)
        self.summary = Summary(reading)
        self.verdicts = VerdictQueries(reading)


class Transaction(StoreQueries):
    """Queries and changes on one session that holds the write lock. Only `Store.transaction` makes one.

    All changes that one message causes are committed together or not at all.
    """

    digests: Digests
    dns: DnsFindings
    incidents: Incidents
    mailboxes: Mailboxes
    maintenance: Maintenance
    messages: Messages
    outbox: Outbox
    privacy: Privacy
    quarantine: Quarantine
    state: State
    verdicts: Verdicts

    def __init__(self, session: Session) -> None:
        super().__init__(lend(session))
        self.session = session
        self.digests = Digests(session)
        self.dns = DnsFindings(session)
        self.incidents = Incidents(session)
        self.mailboxes = Mailboxes(session)
        self.maintenance = Maintenance(session)
        self.messages = Messages(session)
        self.outbox = Outbox(session)
        self.pending_replies = PendingReplies(session)
        self.privacy = Privacy(session)
        self.quarantine = Quarantine(session)
        self.state = State(session)
        self.verdicts = Verdicts(session)


class Store(StoreQueries):
    """An open store, used as a context manager. `location` is its file or server.

    Each query reads one consistent snapshot. Changes go through a `Transaction`.
    """

    def __init__(self, location: StoreLocation, engine: Engine, *, read_only: bool) -> None:
        self.location = location
        self.read_only = read_only
        self.worker: Worker = OnlyWorker()
        """This process among those that work with the store."""
        self.was: str | None = None
        """The schema revision found at opening, None for a new store."""
        self.backup: Path | None = None
        self._engine = engine
        seen = for_reading(engine)
        self.open_session: OpenSession = lambda: session_on(seen)
        super().__init__(self.open_session)

    @classmethod
    def open(cls, location: StoreLocation, *, read_only: bool = False, migrate: bool = True) -> "Store":
        """Open the store at `location`; create and migrate it unless `migrate` is False.

        Raises StoreMissing (read-only and not found), StoreTooOld, StoreTooNew, StoreNotWritable,
        StoreDamaged, StoreBusy or StoreUnreachable, each with its repair. A file that is not empty is
        copied before a migration; `backup` then names the copy.
        """
        is_new = not read_only and not exists(location)
        if read_only:
            require_store(location)
        else:
            prepare(location)
        store = cls(location, open_engine(location, read_only=read_only), read_only=read_only)
        try:
            with translated():
                store._prepare_schema(migrate=migrate and not read_only)
        except BaseException:
            store.close()
            if is_new:
                remove_empty(location)
            raise
        return store

    def _prepare_schema(self, *, migrate: bool) -> None:
        self.was = find_revision(self._engine)
        if migrate:
            self.backup = run_migrations(self._engine, self.location)
        else:
            require_head(self._engine, self.location)

    def close(self) -> None:
        """Close all connections; a second call has no effect."""
        self._engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write in one transaction: committed to disk at the end, rolled back when the block raises.

        Raises StoreBusy when another process holds the lock for more than 10 seconds, StoreFull, or
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

    def _row_transaction(self) -> AbstractContextManager[Transaction]:
        """Write in a transaction that changes one outgoing message and inserts no numbered rows.

        At a server it does not wait for the lock of transactions that store messages.
        """
        return self._writing(for_one_row(self._engine))

    def empty_log(self) -> bool:
        """Empty the log beside the file, which still holds deleted rows; False when a reader blocks it.

        A server recycles its own log, so nothing is done there.
        """
        return empty_log(self.location) if isinstance(self.location, Path) else True

    def claim(
        self, number: int, owner: str, now: datetime, lease_seconds: float = 600
    ) -> OutgoingMail | None:
        """Take the lease of a pending message, committed before this returns; None when it is not due."""
        with self._row_transaction() as tx:
            return tx.outbox.claim(number, owner, now, lease_seconds)

    def finish(self, number: int, outcome: str, reply: str, now: datetime) -> OutboxState:
        """Record the outcome of a claimed message: sent, later, failed, stop or unknown."""
        with self._row_transaction() as tx:
            return tx.outbox.finish(number, outcome, reply, now)


def open_store(location: StoreLocation, *, read_only: bool = False, migrate: bool = True) -> Store:
    """Open the store at `location`; see `Store.open`."""
    return Store.open(location, read_only=read_only, migrate=migrate)
