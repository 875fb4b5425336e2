"""Incidents: at most one unresolved for each fingerprint, with proof and history."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, insert
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from bounce_watch.model import Event, Finding, Incident, IncidentState
from bounce_watch.store import fresh, tables
from bounce_watch.store.asking import ask
from bounce_watch.store.database.columns import scrub
from bounce_watch.store.incidents.lifecycle import WATCHER, IncidentLife, ToldList, incident_of, incident_rows
from bounce_watch.store.put_off import remembered, write
from bounce_watch.store.records import Recorded
from bounce_watch.store.vocabulary import Change

AT_ONCE = timedelta(0)
_NEWEST = "newest_incident"
_AT_MOST = 500
"""Fingerprints in one question."""

MAX_NAMES = 500
"""Senders, domains and statuses kept in an incident's row; its bounces hold all of them."""


_AT = tables.Incident
# Made once, for it is asked for each bounce and rule.
_ALIKE = aliased(_AT)
_LAST = select(func.max(_ALIKE.number)).where(col(_ALIKE.fingerprint) == col(_AT.fingerprint))
_ALL_OF = select(_AT.fingerprint, _AT.number).where(
    col(_AT.fingerprint).in_(bindparam("fingerprints", expanding=True)),
    col(_AT.number) == _LAST.scalar_subquery(),
)
_LINK, _BOUNCE = tables.IncidentEvent, tables.Bounce
_NEW_PROOF = insert(_LINK)
_PROOFS_BY_MESSAGE = (
    select(_LINK.bounce_id)
    .join(_BOUNCE, col(_BOUNCE.id) == col(_LINK.bounce_id))
    .where(
        col(_LINK.incident) == bindparam("of_incident"), col(_BOUNCE.message_id) == bindparam("of_message")
    )
)


class IncidentList(ToldList):
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

    def find_incident(self, fingerprint: str) -> Incident | None:
        """Return the newest incident of a fingerprint, whatever its state, None for none."""
        return self.find_incidents([fingerprint]).get(fingerprint)

    def find_incidents(self, fingerprints: Collection[str]) -> dict[str, Incident]:
        """Return the newest incident of each fingerprint that has one, whatever its state."""
        with self._reading() as session:
            numbers = _newest_of(session, fingerprints)
            rows = {row.number: row for row in incident_rows(session, sorted(set(numbers.values())))}
        return {fingerprint: incident_of(rows[number]) for fingerprint, number in numbers.items()}


class Incidents(IncidentLife, IncidentList):
    """Writing what the rules found."""

    def foresee_incidents(self, fingerprints: Collection[str]) -> None:
        """Ask at once for incidents that `find_incidents` will be asked for one after another."""
        _newest_of(self._rows, fingerprints)

    def save_finding(
        self, finding: Finding, now: datetime, *, quiet: bool, reopen_within: timedelta = AT_ONCE
    ) -> Recorded:
        """Open an incident for a finding, or feed the unresolved one of its fingerprint.

        An incident gathers: its messages are all that ever proved it, not those of the newest window.
        One that was resolved less than `reopen_within` ago opens again under its number.
        `quiet` marks one that is opened from old mail and that nobody is to be told of.
        """
        row = find_unresolved(self._rows, finding.fingerprint)
        if row is None:
            row = None if quiet else self._reopen(finding, now, reopen_within)
            row = row or self._open(finding, now, quiet=quiet)
            return Recorded(incident=incident_of(row, finding.events), change=Change.OPENED)
        change, grew = self._feed(row, finding, now)
        return Recorded(incident=incident_of(row, finding.events), change=change, grew=grew)

    def add_proof(self, number: int, event: Event, now: datetime) -> bool:
        """Feed one event to an incident that is open; tell whether it has doubled with it."""
        row = self._unresolved(number)
        proofs = self._proofs_by(event.message_id, number)
        if event.bounce_id in proofs:
            return False
        row.messages += 0 if proofs else 1
        self._link(number, [event.bounce_id])
        row.first_at, row.last_at = min(row.first_at, event.occurred_at), max(row.last_at, event.occurred_at)
        row.senders = _joined(row.senders, [event.sender.lower()] if event.sender else [])
        domains = [event.recipient_domain] if event.recipient_domain else []
        row.recipient_domains = _joined(row.recipient_domains, domains)
        row.statuses = _joined(row.statuses, [event.status] if event.status else [])
        row.updated_at = now
        return self._grow(row, now)

    def _proofs_by(self, message_id: int, number: int) -> set[int]:
        known = fresh.proofs_by(self._rows, message_id, number)
        if known is not None:
            return known
        asked = {"of_incident": number, "of_message": message_id}
        return set(ask(self._rows, _PROOFS_BY_MESSAGE, asked, _BOUNCE, _LINK).scalars())

    def _reopen(self, finding: Finding, now: datetime, within: timedelta) -> tables.Incident | None:
        number = _newest(self._rows, finding.fingerprint)
        row = None if number is None else self._rows.get_one(tables.Incident, number)
        if row is None or row.quiet or row.resolved_at is None or now - row.resolved_at > within:
            return None
        row.state, row.resolved_at, row.reopened = IncidentState.OPEN, None, row.reopened + 1
        row.acknowledged_at, row.acknowledged_by, row.suppressed_by = None, None, None
        row.told_step, row.told_at = 0, None
        self._rows.flush()
        self._feed(row, finding, now)
        self._note(row, "reopened", now, by=WATCHER, note="")
        return row

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
        before = self._rows.get(tables.Incident, row.previous) if row.previous else None
        row.silenced_until = before.silenced_until if before else None  # a silence outlives a quiet day
        self._rows.add(row)
        self._rows.flush()
        remembered(self._rows, _NEWEST)[scrub(row.fingerprint)] = row.number
        self._link(row.number, finding.events)
        self._note(row, Change.OPENED, now, by=WATCHER, note="from old mail" if quiet else "")
        return row

    def _feed(self, row: tables.Incident, finding: Finding, now: datetime) -> tuple[Change, bool]:
        unknown = self._fresh(row.number, finding.events)
        if not unknown:
            return Change.UNCHANGED, False
        self._link(row.number, unknown)
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
        rows = [{"incident": number, "bounce_id": one} for one in dict.fromkeys(bounce_ids)]
        if rows:
            write(self._rows, _LINK, _NEW_PROOF, rows)
            fresh.note_proofs(self._rows, number, [row["bounce_id"] for row in rows])

    def _fresh(self, number: int, bounce_ids: Collection[int]) -> list[int]:
        """Return the bounces that do not prove the incident yet, in order."""
        link = tables.IncidentEvent
        query = select(link.bounce_id).where(
            col(link.incident) == number, col(link.bounce_id).in_(set(bounce_ids))
        )
        known = set(self._rows.exec(query))
        return [bounce_id for bounce_id in bounce_ids if bounce_id not in known]


def _newest_of(session: Session, fingerprints: Collection[str]) -> dict[str, int]:
    """Return the number of the newest incident of each fingerprint that has one, each asked for once."""
    known = remembered(session, _NEWEST)
    unknown = sorted({scrub(one) for one in fingerprints} - known.keys())
    known.update(dict.fromkeys(unknown))
    for start in range(0, len(unknown), _AT_MOST):
        asked = {"fingerprints": unknown[start : start + _AT_MOST]}
        known.update((fingerprint, number) for fingerprint, number in ask(session, _ALL_OF, asked))
    numbers = {one: known[scrub(one)] for one in fingerprints}
    return {fingerprint: number for fingerprint, number in numbers.items() if number is not None}


def find_unresolved(session: Session, fingerprint: str) -> tables.Incident | None:
    """Return the unresolved incident of a fingerprint."""
    at = tables.Incident
    unresolved = (col(at.fingerprint) == fingerprint, col(at.state) != IncidentState.RESOLVED)
    return session.exec(select(at).where(*unresolved)).one_or_none()


def _newest(session: Session, fingerprint: str) -> int | None:
    at = tables.Incident
    return session.exec(select(func.max(at.number)).where(col(at.fingerprint) == fingerprint)).one()


def _count_messages(session: Session, number: int) -> int:
    link, bounce = tables.IncidentEvent, tables.Bounce
    query = select(func.count(func.distinct(bounce.message_id))).select_from(link)
    query = query.join(bounce, col(bounce.id) == col(link.bounce_id)).where(col(link.incident) == number)
    return session.exec(query).one()


def _joined(known: Iterable[str], more: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*known, *more]))[:MAX_NAMES]
