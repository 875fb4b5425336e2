"""One transaction: all that one message changes is written together or not at all."""

from contextlib import AbstractContextManager, nullcontext

from sqlmodel import Session

from bounce_watch.store.events import Events
from bounce_watch.store.history import History
from bounce_watch.store.incidents import IncidentList, Incidents
from bounce_watch.store.intake import Intake, KnownMessages
from bounce_watch.store.outbox import Outbox
from bounce_watch.store.quarantine import Quarantine


class Transaction(Intake, KnownMessages, Events, Incidents, IncidentList, Outbox, Quarantine, History):
    """Reads and writes on one session that holds the write lock. Made by `Store.transaction` only."""

    def __init__(self, rows: Session) -> None:
        self._rows = rows

    def _reading(self) -> AbstractContextManager[Session]:
        return nullcontext(self._rows)
