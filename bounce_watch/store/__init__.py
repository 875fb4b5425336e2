"""The database: tables, migrations, queries, outbox. No row leaves this package."""

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
    StoreTemporary,
    StoreTooNew,
    StoreTooOld,
    StoreUnreachable,
)
from bounce_watch.store.database.location import Place, place_of, require_fit, work_with, workers
from bounce_watch.store.database.postgres import Server
from bounce_watch.store.database.process_lock import ProcessLock, find_holder
from bounce_watch.store.database.workers import Alone, Watcher
from bounce_watch.store.messages.batch import NewMessage, NewReport, StoredBounces
from bounce_watch.store.messages.cursors import Cursor
from bounce_watch.store.queries.people import Destination, Person
from bounce_watch.store.questions import Questions
from bounce_watch.store.records import (
    BounceDetail,
    BounceRow,
    HistoryFilter,
    IncidentChange,
    IncidentDetail,
    MessageRecord,
    OutboxEntry,
    OutgoingMail,
    QuarantineEntry,
    Recorded,
    ReplyHistory,
    ReportRecord,
    Stats,
    StoredReport,
    WithheldRow,
)
from bounce_watch.store.state_values import Stopped, Trouble
from bounce_watch.store.store import Store, open_store
from bounce_watch.store.tally import Dimension
from bounce_watch.store.transaction import Transaction
from bounce_watch.store.vocabulary import By, Change, MessageState, Order, QuarantineState, Sort

__all__ = [
    "Alone",
    "AlreadyStored",
    "BounceDetail",
    "BounceRow",
    "By",
    "Change",
    "Cursor",
    "Destination",
    "Dimension",
    "HistoryFilter",
    "IncidentChange",
    "IncidentDetail",
    "LockHeld",
    "MessageRecord",
    "MessageState",
    "NewMessage",
    "NewReport",
    "NotThere",
    "Order",
    "OutboxEntry",
    "OutgoingMail",
    "Person",
    "Place",
    "ProcessLock",
    "QuarantineEntry",
    "QuarantineState",
    "Questions",
    "Recorded",
    "ReplyHistory",
    "ReportRecord",
    "Server",
    "Sort",
    "Stats",
    "Stopped",
    "Store",
    "StoreBusy",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreMissing",
    "StoreNotWritable",
    "StorePermanent",
    "StoreTemporary",
    "StoreTooNew",
    "StoreTooOld",
    "StoreUnreachable",
    "StoredBounces",
    "StoredReport",
    "Transaction",
    "Trouble",
    "Watcher",
    "WithheldRow",
    "find_holder",
    "open_store",
    "place_of",
    "require_fit",
    "work_with",
    "workers",
]
