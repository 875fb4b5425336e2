"""Changes to incidents by admins and by time: acknowledge, silence, suppress, alert, quiet, resolve."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import false, func, true
from sqlmodel import Session, col, select

from bounce_watch.model import CLOSED, Finding, Incident, IncidentState, Owner, Severity
from bounce_watch.model.incident import FARTHEST_CLOCK
from bounce_watch.store import tables
from bounce_watch.store.database.errors import NotThere
from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.database.values import value_of

WATCHER = "bounce_watch"
"""The author of automatic changes in an incident's history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """Which alerts were written about an incident.

    `step` is the reported growth: 0 for no alert yet, 1 for the opening, then 2, 4, 8. `messages` is the
    number of messages in the first alert, `at` the time of the newest alert. `opened_in` is the number of the
    message that opened the incident, None if none did.
    """

    incident: Incident
    step: int
    messages: int
    at: datetime | None
    opened_in: int | None = None


def incident_of(row: tables.Incident, events: tuple[int, ...] = ()) -> Incident:
    """Return a row as a value; `events` are the bounce numbers, if known."""
    return value_of(Incident, row, finding=value_of(Finding, row, events=events), historical=row.quiet)


def _since(row: tables.Incident) -> str:
    return f"no new bounces since {row.last_at:%Y-%m-%d %H:%M} UTC"


class AlertQueries(Queries):
    def alert_states(self) -> tuple[AlertState, ...]:
        """Return the alert state of every unresolved incident that is not historical, oldest first."""
        incident = tables.Incident
        query = select(incident).where(col(incident.state).not_in(CLOSED), col(incident.quiet).is_(False))
        with self._reading() as session:
            return tuple(_alert_state_of(row) for row in session.exec(query.order_by(col(incident.number))))

    def has_security_alert_to_write(self, since: datetime, now: datetime) -> bool:
        """Tell whether an incident opened since then is urgent, and its first alert is not written yet."""
        incident = tables.Incident
        urgent = (col(incident.owner) == Owner.SECURITY) | (col(incident.severity) == Severity.CRITICAL)
        begun = func.coalesce(col(incident.silenced_at) <= now + FARTHEST_CLOCK, true())
        silent = (col(incident.silenced_until) > now) & begun
        query = select(incident.number).where(
            col(incident.state) == IncidentState.OPEN,
            col(incident.opened_at) > since,
            col(incident.told_step) == 0,
            col(incident.suppressed_by).is_(None),
            col(incident.quiet).is_(False),
            urgent & ~func.coalesce(silent, false()),
        )
        with self._reading() as session:
            return session.exec(query.limit(1)).first() is not None


def _alert_state_of(row: tables.Incident) -> AlertState:
    return AlertState(
        incident=incident_of(row),
        step=row.told_step,
        messages=row.told_messages,
        at=row.told_at,
        opened_in=row.opened_in,
    )


class IncidentLife(AlertQueries, Repository):
    """Changes by admins and by time. All methods raise NotThere for an unknown number."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._known: dict[int, tables.Incident] = {}
        """Rows of this transaction. A session holds its rows weakly and would read them again."""

    def acknowledge(self, number: int, now: datetime, *, by: str, note: str = "") -> Incident:
        """Record that an admin handles the incident, which ends reminders. A second call has no effect."""
        row = self._unresolved(number)
        if row.acknowledged_at is None:
            row.acknowledged_at, row.acknowledged_by = now, by
            self._note(row, "acknowledged", now, by=by, note=note)
        return incident_of(row)

    def silence(self, number: int, until: datetime, now: datetime, *, by: str, why: str = "") -> Incident:
        """Send no alerts about the incident until then; a past time ends the silence."""
        row = self._unresolved(number)
        row.silenced_until, row.silenced_at = until, now
        span = f"until {until:%Y-%m-%d %H:%M} UTC" if until > now else "ended"
        self._note(row, "silenced", now, by=by, note=f"{span}: {why}" if why else span)
        return incident_of(row)

    def note(self, number: int, text: str, now: datetime, *, by: str) -> Incident:
        row = self._incident(number)
        self._note(row, "note", now, by=by, note=text)
        return incident_of(row)

    def resolve(self, number: int, now: datetime, *, by: str = WATCHER, why: str = "") -> Incident:
        """Resolve an incident, also an archived one; a resolved one is not changed."""
        row = self._incident(number)
        if row.state != IncidentState.RESOLVED:
            row.state, row.resolved_at, row.updated_at = IncidentState.RESOLVED, now, now
            self._note(row, IncidentState.RESOLVED, now, by=by, note=why)
        return incident_of(row)

    def fall_quiet(self, number: int, now: datetime) -> None:
        """Record that no new bounces come; this is no proof that the incident is fixed."""
        row = self._unresolved(number)
        row.state, row.quiet_since, row.updated_at = IncidentState.QUIET, now, now
        self._note(row, IncidentState.QUIET, now, by=WATCHER, note=_since(row))

    def wake(self, number: int, now: datetime) -> None:
        """Record that a quiet incident has new bounces; the acknowledgement stays, the admins are alerted."""
        self._reopened(self._unresolved(number), now)

    def archive(self, number: int, now: datetime) -> None:
        """Put a quiet incident away without confirmation; there is no all-clear."""
        row = self._unresolved(number)
        row.state, row.resolved_at, row.updated_at = IncidentState.ARCHIVED, now, now
        self._note(row, IncidentState.ARCHIVED, now, by=WATCHER, note=f"{_since(row)}; not confirmed")

    def _reopened(self, row: tables.Incident, now: datetime) -> None:
        row.state, row.resolved_at, row.quiet_since = IncidentState.OPEN, None, None
        row.reopened, row.updated_at = row.reopened + 1, now
        row.told_step, row.told_at = 0, None
        self._note(row, "reopened", now, by=WATCHER, note="")

    def suppress(self, number: int, by_number: int | None, now: datetime) -> None:
        """Record which incident explains this one, None when none does any more."""
        row = self._incident(number)
        if row.suppressed_by != by_number:
            row.suppressed_by = by_number
            note = f"by INC-{by_number}" if by_number is not None else "no longer"
            self._note(row, "suppressed", now, by=WATCHER, note=note)

    def note_notified(self, number: int, now: datetime, *, step: int) -> None:
        """Record that the admins were alerted, and the growth that the alert reported."""
        row = self._incident(number)
        if row.told_step == 0:
            row.told_messages = row.messages
        row.told_at, row.told_step = now, max(step, row.told_step)

    def alert_state(self, number: int) -> AlertState:
        return _alert_state_of(self._incident(number))

    def _incident(self, number: int) -> tables.Incident:
        row = self._known.get(number) or self._rows.get(tables.Incident, number)
        if row is None:
            raise NotThere(f"there is no incident INC-{number}", "`bounce-watch incidents` lists them.")
        self._known[number] = row
        return row

    def _unresolved(self, number: int) -> tables.Incident:
        row = self._incident(number)
        if IncidentState(row.state).is_closed:
            raise NotThere(
                f"INC-{number} is {row.state}", "`bounce-watch incidents --open` lists the others."
            )
        return row

    def _note(self, row: tables.Incident, change: str, now: datetime, *, by: str, note: str) -> None:
        line = tables.IncidentChange(
            incident=row.number, at=now, change=change, by=by, note=note, messages=row.messages
        )
        self._rows.add(line)
