"""Incidents: at most one unresolved for each fingerprint, with proof and history."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from bounce_watch.model import Finding, Incident, IncidentState, Owner, Severity
from bounce_watch.store import tables
from bounce_watch.store.errors import NotThere
from bounce_watch.store.records import Recorded
from bounce_watch.store.rooms import Reads, Writes
from bounce_watch.store.words import Change

MAX_NAMES = 500
"""Senders, domains and statuses kept in an incident's row; its bounces hold all of them."""

WATCHER = "bounce_watch"
"""Who changed an incident when no person did."""


def incident_of(row: tables.Incident, events: tuple[int, ...] = ()) -> Incident:
    """Return a row as a value; `events` only where they were asked for."""
    finding = Finding(
        rule_id=row.rule_id,
        key=row.key,
        title=row.title,
        severity=Severity(row.severity),
        owner=Owner(row.owner),
        playbook=row.playbook,
        first_at=row.first_at,
        last_at=row.last_at,
        messages=row.messages,
        senders=tuple(row.senders),
        recipient_domains=tuple(row.recipient_domains),
        statuses=tuple(row.statuses),
        events=events,
    )
    return Incident(
        number=row.number,
        state=IncidentState(row.state),
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        resolved_at=row.resolved_at,
        finding=finding,
    )


class IncidentList(Reads):
    """Questions about incidents."""

    def incidents(self, state: IncidentState | None = None, limit: int = 1_000) -> tuple[Incident, ...]:
        """Return the incidents, newest first; their findings carry no event numbers."""
        query = select(tables.Incident).order_by(col(tables.Incident.number).desc()).limit(limit)
        if state is not None:
            query = query.where(col(tables.Incident.state) == state)
        with self._reading() as session:
            return tuple(incident_of(row) for row in session.exec(query))

    def incidents_open(self) -> tuple[Incident, ...]:
        """Return the unresolved incidents, newest first."""
        return self.incidents(IncidentState.OPEN)


class Incidents(Writes):
    """Writing what the rules found."""

    def save_finding(self, finding: Finding, now: datetime, *, quiet: bool) -> Recorded:
        """Open an incident for a finding, or feed the unresolved one of its fingerprint.

        An incident gathers: its messages are all that ever proved it, not those of the newest window.
        `quiet` marks one that is opened from old mail and that nobody is to be told of.
        """
        row = find_unresolved(self._rows, finding.fingerprint)
        if row is None:
            row = self._open(finding, now, quiet=quiet)
            return Recorded(incident=incident_of(row, finding.events), change=Change.OPENED)
        change, grew = self._feed(row, finding, now)
        return Recorded(incident=incident_of(row, finding.events), change=change, grew=grew)

    def resolve_incident(self, number: int, now: datetime, *, by: str = WATCHER, why: str = "") -> Incident:
        """Resolve an incident; a resolved one stays as it is. Raises NotThere for no such number."""
        row = self._rows.get(tables.Incident, number)
        if row is None:
            raise NotThere(f"there is no incident INC-{number}", "`bounce-watch incidents` lists them.")
        if row.state != IncidentState.RESOLVED:
            row.state, row.resolved_at, row.updated_at = IncidentState.RESOLVED, now, now
            self._note(row, IncidentState.RESOLVED, now, by=by, note=why)
        return incident_of(row)

    def _open(self, finding: Finding, now: datetime, *, quiet: bool) -> tables.Incident:
        row = tables.Incident(
            fingerprint=finding.fingerprint,
            rule_id=finding.rule_id,
            key=finding.key,
            state=IncidentState.OPEN,
            previous=_newest(self._rows, finding.fingerprint),
            quiet=quiet,
            opened_at=now,
            updated_at=now,
            title=finding.title,
            severity=finding.severity,
            owner=finding.owner,
            playbook=finding.playbook,
            first_at=finding.first_at,
            last_at=finding.last_at,
            messages=finding.messages,
            grown_at=finding.messages,
            senders=list(finding.senders[:MAX_NAMES]),
            recipient_domains=list(finding.recipient_domains[:MAX_NAMES]),
            statuses=list(finding.statuses[:MAX_NAMES]),
        )
        self._rows.add(row)
        self._rows.flush()
        self._link(row.number, finding.events)
        self._note(row, Change.OPENED, now, by=WATCHER, note="from old mail" if quiet else "")
        return row

    def _feed(self, row: tables.Incident, finding: Finding, now: datetime) -> tuple[Change, bool]:
        linked = set(_linked(self._rows, row.number))
        fresh = [bounce_id for bounce_id in finding.events if bounce_id not in linked]
        if not fresh:
            return Change.UNCHANGED, False
        self._link(row.number, fresh)
        row.messages = max(_count_messages(self._rows, row.number), finding.messages)
        row.title, row.severity = finding.title, finding.severity
        row.first_at, row.last_at = min(row.first_at, finding.first_at), max(row.last_at, finding.last_at)
        row.senders = _joined(row.senders, finding.senders)
        row.recipient_domains = _joined(row.recipient_domains, finding.recipient_domains)
        row.statuses = _joined(row.statuses, finding.statuses)
        row.updated_at = now
        return Change.UPDATED, self._grow(row, now)

    def _grow(self, row: tables.Incident, now: datetime) -> bool:
        grew = row.messages >= 2 * max(row.grown_at, 1)
        if grew:
            row.grown_at = row.messages
            self._note(row, "grew", now, by=WATCHER, note="")
        return grew

    def _link(self, number: int, bounce_ids: Iterable[int]) -> None:
        rows = [tables.IncidentEvent(incident=number, bounce_id=one) for one in dict.fromkeys(bounce_ids)]
        self._rows.add_all(rows)
        self._rows.flush()

    def _note(self, row: tables.Incident, change: str, now: datetime, *, by: str, note: str) -> None:
        line = tables.IncidentChange(
            incident=row.number, at=now, change=change, by=by, note=note, messages=row.messages
        )
        self._rows.add(line)


def find_unresolved(session: Session, fingerprint: str) -> tables.Incident | None:
    """Return the unresolved incident of a fingerprint."""
    at = tables.Incident
    unresolved = (col(at.fingerprint) == fingerprint, col(at.state) != IncidentState.RESOLVED)
    return session.exec(select(at).where(*unresolved)).one_or_none()


def _newest(session: Session, fingerprint: str) -> int | None:
    at = tables.Incident
    return session.exec(select(func.max(at.number)).where(col(at.fingerprint) == fingerprint)).one()


def _linked(session: Session, number: int) -> Iterable[int]:
    link = tables.IncidentEvent
    return session.exec(select(link.bounce_id).where(col(link.incident) == number))


def _count_messages(session: Session, number: int) -> int:
    link, bounce = tables.IncidentEvent, tables.Bounce
    query = select(func.count(func.distinct(bounce.message_id))).select_from(link)
    query = query.join(bounce, col(bounce.id) == col(link.bounce_id)).where(col(link.incident) == number)
    return session.exec(query).one()


def _joined(known: Iterable[str], more: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*known, *more]))[:MAX_NAMES]
