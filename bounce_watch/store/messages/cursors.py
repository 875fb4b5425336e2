"""Where a look at a mailbox begins: up to where it was looked at, and how far the messages there came."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import col, select

from bounce_watch.model.message_location import MessageLocation
from bounce_watch.store import tables
from bounce_watch.store.state import Facts, KnownFacts
from bounce_watch.store.vocabulary import MessageState

_CURSOR = "cursor:"
_AT = tables.Message
_STATES = select(_AT.uid, _AT.state).where(
    col(_AT.mailbox) == bindparam("at_mailbox"),
    col(_AT.validity) == bindparam("at_validity"),
    col(_AT.uid).in_(bindparam("at_uids", expanding=True)),
)
_UNFILED = (
    select(_AT.validity, _AT.uid)
    .where(col(_AT.state) == MessageState.STORED, col(_AT.mailbox) == bindparam("at_mailbox"))
    .order_by(col(_AT.id))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """All messages of this UIDVALIDITY up to `uid` were looked at; the whole folder last at `whole_at`."""

    validity: int
    uid: str
    whole_at: datetime


class Whereabouts(KnownFacts):
    """Questions about one mailbox."""

    def cursor(self, mailbox: str) -> Cursor | None:
        """Return up to where a mailbox was looked at, None when it never was, or has no order."""
        value = self._fact(f"{_CURSOR}{mailbox}")
        if value is None:
            return None
        validity, uid, whole_at = json.loads(value)
        return Cursor(validity=validity, uid=uid, whole_at=datetime.fromisoformat(whole_at))

    def states_at(self, mailbox: str, validity: int, uids: Collection[str]) -> dict[str, MessageState]:
        """Return how far the messages at these places came; what we never met is left out."""
        asked = {"at_mailbox": mailbox, "at_validity": validity, "at_uids": list(uids)}
        with self._reading() as session:
            return {uid: MessageState(state) for uid, state in session.exec(_STATES, params=asked)}

    def unfiled(self, mailbox: str) -> tuple[MessageLocation, ...]:
        """Return where in a mailbox the messages lie that are stored and not known to be filed."""
        with self._reading() as session:
            found = session.exec(_UNFILED, params={"at_mailbox": mailbox})
            return tuple(
                MessageLocation(mailbox=mailbox, validity=validity, uid=uid) for validity, uid in found
            )


class Cursors(Facts):
    """Writing where the next look begins."""

    def note_cursor(self, mailbox: str, cursor: Cursor) -> None:
        """Note up to where a mailbox was looked at, in the transaction that notes the look."""
        value = json.dumps([cursor.validity, cursor.uid, cursor.whole_at.isoformat()])
        self._set(f"{_CURSOR}{mailbox}", value)
