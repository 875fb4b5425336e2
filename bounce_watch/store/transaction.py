"""One transaction: all that one message changes is written together or not at all."""

from contextlib import AbstractContextManager, nullcontext

from sqlmodel import Session

from bounce_watch.store.incidents.incidents import Incidents
from bounce_watch.store.maintenance.audit import Upkeep
from bounce_watch.store.messages.cursors import Cursors
from bounce_watch.store.messages.messages import Intake
from bounce_watch.store.messages.quarantine import Quarantine
from bounce_watch.store.outbox.pending_replies import Settling
from bounce_watch.store.outbox.queue import Outbox
from bounce_watch.store.privacy.search import Forgetting
from bounce_watch.store.queries.digest import DigestRecord
from bounce_watch.store.questions import Questions


class Transaction(
    Intake, Incidents, Outbox, Quarantine, DigestRecord, Settling, Upkeep, Forgetting, Cursors, Questions
):
    """Reads and writes on one session that holds the write lock. Made by `Store.transaction` only."""

    def __init__(self, rows: Session) -> None:
        self._rows = rows

    def _reading(self) -> AbstractContextManager[Session]:
        return nullcontext(self._rows)
