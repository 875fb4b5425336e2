"""Single facts about the store: its first run, its epoch, when mail was last fetched."""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete
from sqlmodel import Session, col, select

from bounce_watch.store import tables
from bounce_watch.store.asking import ask
from bounce_watch.store.database.session import Reads, Writes
from bounce_watch.store.database.upsert import run, upsert
from bounce_watch.store.put_off import remembered
from bounce_watch.store.state_values import Stopped, Trouble, time_of, trouble_of

_EPOCH, _FIRST_RUN, _LAST_FETCH = "epoch", "first_run_at", "last_success_fetch_at"
_MARK_SECRET = "mark_secret"  # noqa: S105 - the name of a row
_DIGEST_DOUBT = "digest_doubt_at"
_CHAT = "chat_told:"
_LOOK, _FIRST_LOOK = "last_look:", "first_look:"
_TROUBLE = "trouble:"
_STARTED_AT = "started_at"
_LATCHED_AT, _BACKLOG_UNTIL = "breaker_latched_at", "backlog_until"
_RESENT = "resent:"
_FACTS = "facts"
_STOPPED_AT, _STOPPED_WHY = "sending_stopped_at", "sending_stopped_why"


STOP_PAUSE = timedelta(minutes=15)
"""How long to leave a server alone that refused our sign-in: more attempts lock the account."""


class KnownFacts(Reads):
    """Questions about the store as a whole."""

    def first_run_at(self) -> datetime | None:
        """Return when we first ran with this store, None before that."""
        with self._reading() as session:
            return time_of(_read(session, _FIRST_RUN))

    def last_success_fetch_at(self) -> datetime | None:
        """Return when the mailbox was last read without a fault."""
        with self._reading() as session:
            return time_of(_read(session, _LAST_FETCH))

    def last_look_at(self, mailbox: str) -> datetime | None:
        """Return when a mailbox (a source's name) was last read without a fault, None for never."""
        return self._noted_or_known(f"{_LOOK}{mailbox}", mailbox, _LAST_FETCH)

    def first_look_at(self, mailbox: str) -> datetime | None:
        """Return when a mailbox was looked at for the first time, None before that."""
        return self._noted_or_known(f"{_FIRST_LOOK}{mailbox}", mailbox, _FIRST_RUN)

    def _noted_or_known(self, name: str, mailbox: str, of_all: str) -> datetime | None:
        """Read a fact of one mailbox; of one that is known from before there were such facts, that of all."""
        at = tables.Message
        with self._reading() as session:
            if noted := _read(session, name):
                return time_of(noted)
            mail = session.exec(select(at.id).where(col(at.mailbox) == mailbox).limit(1)).first()
            return None if mail is None else time_of(_read(session, of_all))

    def trouble_with(self, mailbox: str) -> Trouble | None:
        """Return since when and why a mailbox (a source's name) cannot be read, None when it can."""
        with self._reading() as session:
            noted = _read(session, f"{_TROUBLE}{mailbox}")
        return None if noted is None else trouble_of(noted)

    def troubles(self) -> dict[str, Trouble]:
        """Return every mailbox that cannot be read, by its source's name."""
        at = tables.Meta
        query = select(at.name, at.value).where(col(at.name).startswith(_TROUBLE))
        with self._reading() as session:
            return {name.removeprefix(_TROUBLE): trouble_of(value) for name, value in session.exec(query)}

    def digest_doubted_at(self) -> datetime | None:
        """Return when the clock was last found too far ahead to make a digest at once."""
        with self._reading() as session:
            return time_of(_read(session, _DIGEST_DOUBT))

    def chat_mark(self, room: str) -> int | None:
        """Return the number of the newest alert that a chat room was told of, None for a new room."""
        with self._reading() as session:
            value = _read(session, f"{_CHAT}{room}")
            return None if value is None else int(value)

    def started_at(self) -> datetime | None:
        """Return when the newest run began."""
        return time_of(self._fact(_STARTED_AT))

    def _fact(self, name: str) -> str | None:
        with self._reading() as session:
            return _read(session, name)

    def epoch(self) -> int:
        """Return the number of the newest run, 0 before the first."""
        with self._reading() as session:
            return int(_read(session, _EPOCH) or 0)

    def sending_stopped(self) -> Stopped | None:
        """Return why nothing was sent at the last attempt, None when sending works or was not tried."""
        with self._reading() as session:
            at = time_of(_read(session, _STOPPED_AT))
            return None if at is None else Stopped(at=at, why=_read(session, _STOPPED_WHY) or "")

    def sending_paused(self, now: datetime) -> Stopped | None:
        """Return why sending rests: it was stopped by this run, less than a quarter of an hour ago."""
        stopped = self.sending_stopped()
        with self._reading() as session:
            started = time_of(_read(session, _STARTED_AT))
        if stopped is None or started is None or stopped.at < started:
            return None
        # A stop that lies ahead was noted by a clock that was wrong.
        return stopped if timedelta(0) <= now - stopped.at < STOP_PAUSE else None

    def breaker_latched_at(self) -> datetime | None:
        """Return since when replies are stopped because too many were due at once, None when they are not."""
        with self._reading() as session:
            return time_of(_kept(session, _LATCHED_AT))

    def backlog_until(self) -> datetime | None:
        """Return the moment before which mail was a backlog of the first run, None without one."""
        with self._reading() as session:
            return time_of(_kept(session, _BACKLOG_UNTIL))

    def times_resent(self, number: int) -> int:
        """Return how often an outgoing mail was sent again because nobody knew whether it had left."""
        with self._reading() as session:
            return int(_read(session, f"{_RESENT}{number}") or 0)


class Facts(KnownFacts, Writes):
    """Writing facts about the store as a whole."""

    def start_run(self, now: datetime) -> int:
        """Note a new run and return its epoch; the first one is also the store's first run."""
        epoch = self.epoch() + 1
        self._set(_EPOCH, str(epoch))
        if self.first_run_at() is None:
            self._set(_FIRST_RUN, now.isoformat())
        self._set(_STARTED_AT, now.isoformat())
        return epoch

    def mark_secret(self) -> bytes:
        """Return the key of our own marks, made at first need: it tells our mail from forged mail."""
        known = _read(self._rows, _MARK_SECRET)
        if known is None:
            known = secrets.token_hex(32)
            self._set(_MARK_SECRET, known)
        return bytes.fromhex(known)

    def note_fetch(self, now: datetime, mailbox: str | None = None) -> None:
        """Note that a mailbox was read without a fault."""
        if mailbox is not None:
            if self.first_look_at(mailbox) is None:
                self.note_first_look(mailbox, now)
            self._set(f"{_LOOK}{mailbox}", now.isoformat())
        self._set(_LAST_FETCH, now.isoformat())

    def note_trouble(self, mailbox: str, why: str, now: datetime, *, told: bool = False) -> None:
        """Note that a mailbox cannot be read; since when stays as it was noted first, and so does `told`."""
        known = self.trouble_with(mailbox)
        since, told = (known.since, told or known.is_told) if known else (now, told)
        self._set(f"{_TROUBLE}{mailbox}", f"{since.isoformat()} {'told' if told else 'untold'} {why}")

    def keep_troubles(self, mailboxes: Collection[str]) -> None:
        """Forget the troubles of mailboxes that are watched no longer."""
        for mailbox in self.troubles().keys() - set(mailboxes):
            self.clear_trouble(mailbox)

    def clear_trouble(self, mailbox: str) -> bool:
        """Note that a mailbox is read again; tell whether it was not."""
        return self._drop(f"{_TROUBLE}{mailbox}")

    def note_first_look(self, mailbox: str, now: datetime) -> None:
        """Note when a mailbox was looked at for the first time."""
        self._set(f"{_FIRST_LOOK}{mailbox}", now.isoformat())

    def note_digest_doubt(self, now: datetime) -> None:
        """Note that a digest waits until a second look confirms the clock."""
        self._set(_DIGEST_DOUBT, now.isoformat())

    def clear_digest_doubt(self) -> None:
        """Note that the clock went back: what it said then was wrong."""
        self._drop(_DIGEST_DOUBT)

    def note_stop(self, why: str, now: datetime) -> None:
        """Note that sending is stopped until the configuration is repaired."""
        self._set(_STOPPED_AT, now.isoformat())
        self._set(_STOPPED_WHY, why)

    def clear_stop(self) -> None:
        """Note that sending works again."""
        for name in (_STOPPED_AT, _STOPPED_WHY):
            self._drop(name)

    def latch_breaker(self, now: datetime) -> None:
        """Stop replies until an admin clears it; a latched breaker keeps its time."""
        if self.breaker_latched_at() is None:
            self._set(_LATCHED_AT, now.isoformat())

    def clear_breaker(self) -> bool:
        """Allow replies again; tell whether they were stopped."""
        return self._drop(_LATCHED_AT)

    def note_backlog(self, until: datetime) -> None:
        """Note that what arrived before a moment is old mail of a first look: held until released."""
        known = self.backlog_until()
        self._set(_BACKLOG_UNTIL, max(until, known or until).isoformat())

    def note_chat(self, room: str, number: int) -> None:
        """Note the newest alert that a chat room was told of."""
        self._set(f"{_CHAT}{room}", str(number))

    def note_resent(self, number: int) -> None:
        """Count that a mail is sent again although nobody knows whether it had left."""
        self._set(f"{_RESENT}{number}", str(self.times_resent(number) + 1))

    def _drop(self, name: str) -> bool:
        remembered(self._rows, _FACTS).pop(name, None)
        gone: Any = self._rows.connection().execute(_DROP, {"of": name})
        return bool(gone.rowcount)

    def _set(self, name: str, value: str) -> None:
        remembered(self._rows, _FACTS).pop(name, None)
        run(self._rows, _SET, {"name": name, "value": value})


# Whoever settles a mail holds no lock but its row's: a fact is set or dropped in one step.
_SET = upsert(tables.Meta, ("name",), lambda new: {"value": new.value})
_DROP = delete(tables.Meta).where(col(tables.Meta.name) == bindparam("of"))
_VALUE = select(tables.Meta.value).where(col(tables.Meta.name) == bindparam("of"))


def _read(session: Session, name: str) -> str | None:
    value: str | None = ask(session, _VALUE, {"of": name}, tables.Meta).scalars().first()
    return value


def _kept(session: Session, name: str) -> str | None:
    """Return a fact that is asked for each answer, read once in a session that alone may change it."""
    facts = remembered(session, _FACTS)
    if name not in facts:
        facts[name] = _read(session, name)
    value: str | None = facts[name]
    return value
