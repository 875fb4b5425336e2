"""Single facts about the store: its first run, its epoch, when mail was last fetched."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from bounce_watch.store import tables
from bounce_watch.store.rooms import Reads, Writes

_EPOCH, _FIRST_RUN, _LAST_FETCH = "epoch", "first_run_at", "last_success_fetch_at"
_MARK_SECRET = "mark_secret"  # noqa: S105 - the name of a row
_STOPPED_AT, _STOPPED_WHY = "sending_stopped_at", "sending_stopped_why"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Sending is stopped: the server refused our sign-in or our right to send, not a mail."""

    at: datetime
    why: str


class KnownFacts(Reads):
    """Questions about the store as a whole."""

    def first_run_at(self) -> datetime | None:
        """Return when we first ran with this store, None before that."""
        with self._reading() as session:
            return _time(_read(session, _FIRST_RUN))

    def last_success_fetch_at(self) -> datetime | None:
        """Return when the mailbox was last read without a fault."""
        with self._reading() as session:
            return _time(_read(session, _LAST_FETCH))

    def epoch(self) -> int:
        """Return the number of the newest run, 0 before the first."""
        with self._reading() as session:
            return int(_read(session, _EPOCH) or 0)

    def sending_stopped(self) -> Stopped | None:
        """Return why nothing was sent at the last attempt, None when sending works or was not tried."""
        with self._reading() as session:
            at = _time(_read(session, _STOPPED_AT))
            return None if at is None else Stopped(at=at, why=_read(session, _STOPPED_WHY) or "")


class Facts(KnownFacts, Writes):
    """Writing facts about the store as a whole."""

    def start_run(self, now: datetime) -> int:
        """Note a new run and return its epoch; the first one is also the store's first run."""
        epoch = self.epoch() + 1
        self._set(_EPOCH, str(epoch))
        if self.first_run_at() is None:
            self._set(_FIRST_RUN, now.isoformat())
        return epoch

    def mark_secret(self) -> bytes:
        """Return the key of our own marks, made at first need: it tells our mail from forged mail."""
        known = _read(self._rows, _MARK_SECRET)
        if known is None:
            known = secrets.token_hex(32)
            self._set(_MARK_SECRET, known)
        return bytes.fromhex(known)

    def note_fetch(self, now: datetime) -> None:
        """Note that the mailbox was read without a fault."""
        self._set(_LAST_FETCH, now.isoformat())

    def note_stop(self, why: str, now: datetime) -> None:
        """Note that sending is stopped until the configuration is repaired."""
        self._set(_STOPPED_AT, now.isoformat())
        self._set(_STOPPED_WHY, why)

    def clear_stop(self) -> None:
        """Note that sending works again."""
        for name in (_STOPPED_AT, _STOPPED_WHY):
            row = self._rows.get(tables.Meta, name)
            if row is not None:
                self._rows.delete(row)

    def _set(self, name: str, value: str) -> None:
        row = self._rows.get(tables.Meta, name) or tables.Meta(name=name, value=value)
        row.value = value
        self._rows.add(row)
        self._rows.flush()


def _read(session: Session, name: str) -> str | None:
    row = session.get(tables.Meta, name)
    return None if row is None else row.value


def _time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
