"""One transaction: all that one message changes is written together or not at all."""

from contextlib import AbstractContextManager, nullcontext

from sqlmodel import Session

from bounce_watch.store.digest import DigestRecord
from bounce_watch.store.incidents import Incidents
from bounce_watch.store.intake import Intake
from bounce_watch.store.outbox import Outbox
from bounce_watch.store.privacy import Forgetting
from bounce_watch.store.quarantine import Quarantine
from bounce_watch.store.questions import Questions
from bounce_watch.store.settling import Settling
from bounce_watch.store.upkeep import Upkeep
from bounce_watch.store.whereabouts import Cursors


class Transaction(
    Intake, Incidents, Outbox, Quarantine, DigestRecord, Settling, Upkeep, Forgetting, Cursors, Questions
):
    """Reads and writes on one session that holds the write lock. Made by `Store.transaction` only."""

    def __init__(self, rows: Session) -> None:
        self._rows = rows

    def _reading(self) -> AbstractContextManager[Session]:
        return nullcontext(self._rows)
