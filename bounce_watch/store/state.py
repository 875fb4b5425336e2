"""Single values about the store as a whole: its runs, stopped sending, the breaker, the first backlog."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.meta import drop_values, read_time, read_value, write_value

_EPOCH, _FIRST_RUN, _STARTED_AT = "epoch", "first_run_at", "started_at"
_MARK_SECRET = "mark_secret"  # noqa: S105 - the name of a row
_DIGEST_DOUBT = "digest_doubt_at"
_CHAT, _RESENT = "chat_told:", "resent:"
_TRIPPED_AT, _BACKLOG_UNTIL = "breaker_latched_at", "backlog_until"
_STOPPED_AT, _STOPPED_WHY = "sending_stopped_at", "sending_stopped_why"

STOP_PAUSE = timedelta(minutes=15)
"""How long to leave a server alone that refused our sign-in: more attempts lock the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingStopped:
    """Sending is stopped: the server refused our sign-in or our right to send, not a message."""

    at: datetime
    why: str


class StateQueries(Queries):
    """Questions about the store as a whole."""

    def first_run_at(self) -> datetime | None:
        """Return when we first ran with this store, None before that."""
        return self._time(_FIRST_RUN)

    def started_at(self) -> datetime | None:
        """Return when the newest run began, None before the first."""
        return self._time(_STARTED_AT)

    def digest_doubted_at(self) -> datetime | None:
        """Return when the clock was last found too far ahead to make a digest at once."""
        return self._time(_DIGEST_DOUBT)

    def breaker_latched_at(self) -> datetime | None:
        """Return since when replies are stopped because too many were due at once, None when they are not."""
        return self._time(_TRIPPED_AT)

    def backlog_until(self) -> datetime | None:
        """Return the time before which mail was a backlog of the first run, None without one."""
        return self._time(_BACKLOG_UNTIL)

    def epoch(self) -> int:
        """Return the number of the newest run, 0 before the first."""
        return int(self._value(_EPOCH) or 0)

    def chat_mark(self, room: str) -> int | None:
        """Return the number of the newest alert that a chat room was told of, None for a new room."""
        value = self._value(f"{_CHAT}{room}")
        return None if value is None else int(value)

    def times_resent(self, number: int) -> int:
        """Return how often an outgoing message was sent again after an unknown outcome."""
        return int(self._value(f"{_RESENT}{number}") or 0)

    def sending_stopped(self) -> SendingStopped | None:
        """Return why nothing was sent at the last attempt, None when sending works or was not tried."""
        at = self._time(_STOPPED_AT)
        return None if at is None else SendingStopped(at=at, why=self._value(_STOPPED_WHY) or "")

    def sending_paused(self, now: datetime) -> SendingStopped | None:
        """Return why sending rests: this run stopped it less than `STOP_PAUSE` ago."""
        stopped, started = self.sending_stopped(), self.started_at()
        if stopped is None or started is None or stopped.at < started:
            return None
        # A stop in the future was noted by a clock that was wrong.
        return stopped if timedelta(0) <= now - stopped.at < STOP_PAUSE else None

    def _value(self, name: str) -> str | None:
        with self._reading() as session:
            return read_value(session, name)

    def _time(self, name: str) -> datetime | None:
        with self._reading() as session:
            return read_time(session, name)


class State(StateQueries, Repository):
    """Changes of the store as a whole."""

    def start_run(self, now: datetime) -> int:
        """Note a new run and return its epoch; the first one is also the store's first run."""
        epoch = self.epoch() + 1
        write_value(self._rows, _EPOCH, epoch)
        if self.first_run_at() is None:
            write_value(self._rows, _FIRST_RUN, now)
        write_value(self._rows, _STARTED_AT, now)
        return epoch

    def mark_secret(self) -> bytes:
        """Return the key of our own marks, made at first need: it tells our mail from forged mail."""
        known = self._value(_MARK_SECRET)
        if known is None:
            known = secrets.token_hex(32)
            write_value(self._rows, _MARK_SECRET, known)
        return bytes.fromhex(known)

    def note_digest_doubt(self, now: datetime) -> None:
        """Note that a digest waits until a second poll confirms the clock."""
        write_value(self._rows, _DIGEST_DOUBT, now)

    def clear_digest_doubt(self) -> None:
        """Note that the clock went back: what it said then was wrong."""
        drop_values(self._rows, [_DIGEST_DOUBT])

    def note_stop(self, why: str, now: datetime) -> None:
        """Note that sending is stopped until the configuration is fixed."""
        write_value(self._rows, _STOPPED_AT, now)
        write_value(self._rows, _STOPPED_WHY, why)

    def clear_stop(self) -> None:
        """Note that sending works again."""
        drop_values(self._rows, [_STOPPED_AT, _STOPPED_WHY])

    def latch_breaker(self, now: datetime) -> None:
        """Stop replies until an admin clears the breaker; a tripped one keeps its time."""
        if self.breaker_latched_at() is None:
            write_value(self._rows, _TRIPPED_AT, now)

    def clear_breaker(self) -> bool:
        """Allow replies again; tell whether they were stopped."""
        return drop_values(self._rows, [_TRIPPED_AT])

    def note_backlog(self, until: datetime) -> None:
        """Note that mail from before `until` is a backlog: its replies are held until released."""
        write_value(self._rows, _BACKLOG_UNTIL, max(until, self.backlog_until() or until))

    def note_chat(self, room: str, number: int) -> None:
        """Note the newest alert that a chat room was told of."""
        write_value(self._rows, f"{_CHAT}{room}", number)

    def note_resent(self, number: int) -> None:
        """Count that a message is sent again after an unknown outcome."""
        write_value(self._rows, f"{_RESENT}{number}", self.times_resent(number) + 1)

    def forget_resent(self, numbers: Sequence[int]) -> None:
        """Drop the counts of outgoing messages that are deleted."""
        drop_values(self._rows, [f"{_RESENT}{number}" for number in numbers])
