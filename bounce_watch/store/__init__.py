"""The database: tables, migrations, repositories and queries. Callers get frozen values, never rows."""

from bounce_watch.store.database.errors import (
    AlreadyStored,
    LockHeld,
    NotThere,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreMissing,
    StoreNotWritable,
    StorePermanent,
    StoreRefused,
    StoreTemporary,
    StoreTooNew,
    StoreTooOld,
    StoreUnreachable,
)
from bounce_watch.store.database.location import (
    StoreLocation,
    require_fit,
    store_location,
    work_with,
    workers,
)
from bounce_watch.store.database.postgres import Server
from bounce_watch.store.database.process_lock import ProcessLock, find_holder
from bounce_watch.store.database.workers import Worker
from bounce_watch.store.mailboxes import Cursor, MailboxPart, MailboxTrouble
from bounce_watch.store.queries.people import Destination, Person
from bounce_watch.store.queries.summary import Stats
from bounce_watch.store.records import (
    BounceDetail,
    BounceRow,
    HistoryFilter,
    IncidentDetail,
    KnownIncident,
    OutboxEntry,
    QuarantineEntry,
    Recorded,
    StoredReport,
    WithheldRow,
)
from bounce_watch.store.store import Store, StoreQueries, Transaction, open_store
from bounce_watch.store.vocabulary import By, Change, MessageState, Order, QuarantineState, Sort
