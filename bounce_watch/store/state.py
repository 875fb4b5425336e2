"""Single values about the whole store: its runs, stopped sending, the breaker, the first backlog."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.meta import delete_values, read_time, read_value, write_value

_EPOCH, _FIRST_RUN, _STARTED_AT = "epoch", "first_run_at", "started_at"
_MARK_SECRET = "mark_secret"  # noqa: S105 - the name of a row
_DIGEST_DOUBT = "digest_doubt_at"
_INCIDENTS_AT = "incidents_at"
_CHAT, _RESENT = "chat_told:", "resent:"
_TRIPPED_AT, _BACKLOG_UNTIL = "breaker_latched_at", "backlog_until"
_STOPPED_AT, _STOPPED_WHY = "sending_stopped_at", "sending_stopped_why"

STOP_PAUSE = timedelta(minutes=15)
"""How long to wait after a server rejected our sign-in: more attempts could lock the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingStopped:
    """Sending is stopped: the server rejected our sign-in or our permission to send, not a message."""

    at: datetime
    why: str


class StateQueries(Queries):
    def first_run_at(self) -> datetime | None:
        """Return when the first run with this store began, None before it."""
        return self._time(_FIRST_RUN)

    def started_at(self) -> datetime | None:
        """Return when the newest run began, None before the first."""
        return self._time(_STARTED_AT)

    def digest_doubted_at(self) -> datetime | None:
        """Return when the clock was last found too far ahead to create a digest without a second poll."""
        return self._time(_DIGEST_DOUBT)

    def incidents_at(self) -> datetime | None:
        """Return when the rules that depend on the time were last applied, None before the first time."""
        return self._time(_INCIDENTS_AT)

    def breaker_latched_at(self) -> datetime | None:
        """Return when the breaker stopped replies because too many were due at once, None when it did not."""
        return self._time(_TRIPPED_AT)

    def backlog_until(self) -> datetime | None:
        """Return the time before which messages are the backlog of the first run, None without a backlog."""
        return self._time(_BACKLOG_UNTIL)

    def epoch(self) -> int:
        """Return the number of the newest run, 0 before the first."""
        return int(self._value(_EPOCH) or 0)

    def chat_mark(self, room: str) -> int | None:
        """Return the number of the newest alert posted to a chat room, None for a new room."""
        value = self._value(f"{_CHAT}{room}")
        return None if value is None else int(value)

    def times_resent(self, number: int) -> int:
        """Return how often an outgoing message was sent again after an unknown outcome."""
        return int(self._value(f"{_RESENT}{number}") or 0)

    def sending_stopped(self) -> SendingStopped | None:
        """Return why the last attempt to send was stopped, None when sending works or was not tried."""
        at = self._time(_STOPPED_AT)
        return None if at is None else SendingStopped(at=at, why=self._value(_STOPPED_WHY) or "")

    def sending_paused(self, now: datetime) -> SendingStopped | None:
        """Return why sending is paused: this run stopped it less than `STOP_PAUSE` ago. None otherwise."""
        stopped, started = self.sending_stopped(), self.started_at()
        if stopped is None or started is None or stopped.at < started:
            return None
        # A stop in the future was recorded by a wrong clock.
        return stopped if timedelta(0) <= now - stopped.at < STOP_PAUSE else None

    def _value(self, name: str) -> str | None:
        with self._reading() as session:
            return read_value(session, name)

    def _time(self, name: str) -> datetime | None:
        with self._reading() as session:
            return read_time(session, name)


class State(StateQueries, Repository):
    def start_run(self, now: datetime) -> int:
        """Record a new run and return its epoch; the first also sets `first_run_at`."""
        epoch = self.epoch() + 1
        write_value(self._rows, _EPOCH, epoch)
        if self.first_run_at() is None:
            write_value(self._rows, _FIRST_RUN, now)
        write_value(self._rows, _STARTED_AT, now)
        return epoch

    def mark_secret(self) -> bytes:
        """Return the key of the marks in our messages, created at the first call; spoofed ones lack it."""
        known = self._value(_MARK_SECRET)
        if known is None:
            known = secrets.token_hex(32)
            write_value(self._rows, _MARK_SECRET, known)
        return bytes.fromhex(known)

    def note_digest_doubt(self, now: datetime) -> None:
        """Record that a digest waits until a second poll confirms the clock."""
        write_value(self._rows, _DIGEST_DOUBT, now)

    def clear_digest_doubt(self) -> None:
        """Record that the clock was set back: the time that raised the doubt was wrong."""
        delete_values(self._rows, [_DIGEST_DOUBT])

    def note_incidents(self, now: datetime) -> None:
        write_value(self._rows, _INCIDENTS_AT, now)

    def note_stop(self, why: str, now: datetime) -> None:
        """Record that sending is stopped until the configuration is fixed."""
        write_value(self._rows, _STOPPED_AT, now)
        write_value(self._rows, _STOPPED_WHY, why)

    def clear_stop(self) -> None:
        """Record that sending works again."""
        delete_values(self._rows, [_STOPPED_AT, _STOPPED_WHY])

    def latch_breaker(self, now: datetime) -> None:
        """Stop replies until an admin clears the breaker; the first time is kept."""
        if self.breaker_latched_at() is None:
            write_value(self._rows, _TRIPPED_AT, now)

    def clear_breaker(self) -> bool:
        """Allow replies again; return whether they were stopped."""
        return delete_values(self._rows, [_TRIPPED_AT])

    def note_backlog(self, until: datetime) -> None:
        """Record that messages from before `until` are a backlog: their replies are held until released."""
        write_value(self._rows, _BACKLOG_UNTIL, max(until, self.backlog_until() or until))

    def note_chat(self, room: str, number: int) -> None:
        write_value(self._rows, f"{_CHAT}{room}", number)

    def note_resent(self, number: int) -> None:
        write_value(self._rows, f"{_RESENT}{number}", self.times_resent(number) + 1)

    def forget_resent(self, numbers: Sequence[int]) -> None:
        """Delete the counts of outgoing messages that are deleted."""
        delete_values(self._rows, [f"{_RESENT}{number}" for number in numbers])
