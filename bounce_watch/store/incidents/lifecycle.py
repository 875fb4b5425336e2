"""What people and time do to an incident: acknowledge, silence, suppress, tell, resolve."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bounce_watch.model import Finding, Incident, IncidentState
from bounce_watch.store import tables
from bounce_watch.store.database.errors import NotThere
from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.database.values import value_of

WATCHER = "bounce_watch"
"""Who changed an incident when no person did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """What admins know of an incident.

    `step` is the growth that was told: 0 nothing yet, 1 that it opened, then 2, 4, 8. `messages` is how many
    mails the first word spoke of, `at` when the newest was written.
    """

    incident: Incident
    step: int
    messages: int
    at: datetime | None


def incident_of(row: tables.Incident, events: tuple[int, ...] = ()) -> Incident:
    """Return a row as a value; `events` only where they were asked for."""
    return value_of(Incident, row, finding=value_of(Finding, row, events=events), historical=row.quiet)


class AlertQueries(Queries):
    """Questions about what admins know."""

    def alert_states(self) -> tuple[AlertState, ...]:
        """Return every unresolved incident that is not historical, oldest first, with what was told of it."""
        incident = tables.Incident
        query = select(incident).where(
            col(incident.state) != IncidentState.RESOLVED, col(incident.quiet).is_(False)
        )
        with self._reading() as session:
            return tuple(_alert_state_of(row) for row in session.exec(query.order_by(col(incident.number))))


def _alert_state_of(row: tables.Incident) -> AlertState:
    return AlertState(
        incident=incident_of(row), step=row.told_step, messages=row.told_messages, at=row.told_at
    )


class IncidentLife(AlertQueries, Repository):
    """Changes by people and by time. All raise NotThere for no such number."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._known: dict[int, tables.Incident] = {}
        """Rows of this transaction: a session reads again what nothing refers to any more."""

    def acknowledge(self, number: int, now: datetime, *, by: str, note: str = "") -> Incident:
        """Note that somebody is on it; the reminders end. A second time changes nothing."""
        row = self._unresolved(number)
        if row.acknowledged_at is None:
            row.acknowledged_at, row.acknowledged_by = now, by
            self._note(row, "acknowledged", now, by=by, note=note)
        return incident_of(row)

    def silence(self, number: int, until: datetime, now: datetime, *, by: str, why: str = "") -> Incident:
        """Write to nobody about it until then; a moment that is past ends the silence."""
        row = self._unresolved(number)
        row.silenced_until = until
        span = f"until {until:%Y-%m-%d %H:%M} UTC" if until > now else "ended"
        self._note(row, "silenced", now, by=by, note=f"{span}: {why}" if why else span)
        return incident_of(row)

    def note(self, number: int, text: str, now: datetime, *, by: str) -> Incident:
        """Add a line of a person to its history."""
        row = self._incident(number)
        self._note(row, "note", now, by=by, note=text)
        return incident_of(row)

    def resolve(self, number: int, now: datetime, *, by: str = WATCHER, why: str = "") -> Incident:
        """Resolve an incident; a resolved one stays as it is."""
        row = self._incident(number)
        if row.state != IncidentState.RESOLVED:
            row.state, row.resolved_at, row.updated_at = IncidentState.RESOLVED, now, now
            self._note(row, IncidentState.RESOLVED, now, by=by, note=why)
        return incident_of(row)

    def suppress(self, number: int, by_number: int | None, now: datetime) -> None:
        """Note which incident explains this one, None when none does any more."""
        row = self._incident(number)
        if row.suppressed_by != by_number:
            row.suppressed_by = by_number
            note = f"by INC-{by_number}" if by_number is not None else "no longer"
            self._note(row, "suppressed", now, by=WATCHER, note=note)

    def note_notified(self, number: int, now: datetime, *, step: int) -> None:
        """Note that admins were told of an incident, and how much of its growth."""
        row = self._incident(number)
        if row.told_step == 0:
            row.told_messages = row.messages
        row.told_at, row.told_step = now, max(step, row.told_step)

    def alert_state(self, number: int) -> AlertState:
        """Return what admins know of one incident."""
        return _alert_state_of(self._incident(number))

    def _incident(self, number: int) -> tables.Incident:
        row = self._known.get(number) or self._rows.get(tables.Incident, number)
        if row is None:
            raise NotThere(f"there is no incident INC-{number}", "`bounce-watch incidents` lists them.")
        self._known[number] = row
        return row

    def _unresolved(self, number: int) -> tables.Incident:
        row = self._incident(number)
        if row.state == IncidentState.RESOLVED:
            raise NotThere(f"INC-{number} is resolved", "`bounce-watch incidents --open` lists the others.")
        return row

    def _note(self, row: tables.Incident, change: str, now: datetime, *, by: str, note: str) -> None:
        line = tables.IncidentChange(
            incident=row.number, at=now, change=change, by=by, note=note, messages=row.messages
        )
        self._rows.add(line)
