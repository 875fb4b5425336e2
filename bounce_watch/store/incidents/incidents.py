"""Incidents with their bounces and history. A fingerprint has one unresolved incident or none."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, insert
from sqlmodel import Session, col, select

from bounce_watch.model import CLOSED, Event, Evidence, Finding, Incident, IncidentState
from bounce_watch.store import tables
from bounce_watch.store.database.session import read_columns
from bounce_watch.store.incidents.lifecycle import WATCHER, IncidentLife, incident_of
from bounce_watch.store.incidents.queries import IncidentQueries, known_of
from bounce_watch.store.records import KnownIncident, Recorded
from bounce_watch.store.vocabulary import Change

AT_ONCE = timedelta(0)
MAX_NAMES = 500
"""Maximum senders, domains and statuses in an incident's row; its bounces have all of them."""


_INCIDENT = tables.Incident
_LINK, _BOUNCE = tables.IncidentEvent, tables.Bounce
_NEW_LINK = insert(_LINK)
# Built once: building a statement takes longer than running it, and this runs for each bounce and rule.
_LINKED_OF_MESSAGE = (
    select(_LINK.bounce_id)
    .join(_BOUNCE, col(_BOUNCE.id) == col(_LINK.bounce_id))
    .where(
        col(_LINK.incident) == bindparam("of_incident"), col(_BOUNCE.message_id) == bindparam("of_message")
    )
)


class Incidents(IncidentLife, IncidentQueries):
    """Changes to incidents by the rules."""

    def find_all(self, fingerprints: Collection[str]) -> dict[str, KnownIncident]:
        """Return the newest incidents with the changes of this transaction."""
        found = super().find_all(fingerprints)
        return {
            fingerprint: known_of(row) if (row := self._known.get(incident.number)) else incident
            for fingerprint, incident in found.items()
        }

    def save_finding(
        self,
        finding: Finding,
        now: datetime,
        *,
        quiet: bool,
        reopen_within: timedelta = AT_ONCE,
        opened_in: int | None = None,
    ) -> Recorded:
        """Open an incident for a finding, or add the finding to the unresolved one of its fingerprint.

        An incident counts all its messages, not only those of the newest window. One that was resolved less
        than `reopen_within` ago is reopened under its number. `quiet` marks an incident from old messages,
        about which no alert is sent. `opened_in` is the number of the message that opened it, if one did.
        """
        row = find_unresolved(self._rows, finding.fingerprint)
        if row is None:
            row = None if quiet else self._reopen(finding, now, reopen_within)
            row = row or self._open(finding, now, quiet=quiet)
            row.opened_in = opened_in
            return Recorded(incident=incident_of(row, finding.events), change=Change.OPENED)
        change = self._feed(row, finding, now)
        if row.quiet and not quiet:
            row.quiet, row.state, row.quiet_since, row.opened_at = False, IncidentState.OPEN, None, now
            row.opened_in = opened_in
            self._note(row, Change.OPENED, now, by=WATCHER, note="now in new mail")
            change = Change.OPENED
        return Recorded(incident=incident_of(row, finding.events), change=change)

    def feed(
        self, number: int, events: Sequence[Event], now: datetime, *, is_new_message: bool = False
    ) -> Incident:
        """Add the events of one message to an unresolved incident and return it.

        `is_new_message`: none of its events can be linked yet, so the query for known ones is skipped.
        """
        row = self._unresolved(number)
        asked = {"of_incident": number, "of_message": events[0].message_id}
        linked = (
            set() if is_new_message else set(read_columns(self._rows, _LINKED_OF_MESSAGE, asked).scalars())
        )
        new = [event for event in events if event.bounce_id not in linked]
        row.confirmed = row.confirmed or any(event.evidence is not Evidence.MEMBER for event in events)
        if new:
            row.messages += 0 if linked else 1
            self._link(number, [event.bounce_id for event in new])
            times = [event.occurred_at for event in new]
            row.first_at, row.last_at = min(row.first_at, *times), max(row.last_at, *times)
            row.senders = _joined(row.senders, [one.sender.lower() for one in new if one.sender])
            domains = [event.recipient_domain for event in new if event.recipient_domain]
            row.recipient_domains = _joined(row.recipient_domains, domains)
            row.statuses = _joined(row.statuses, [event.status for event in new if event.status])
            row.updated_at = now
            self._grow(row, now)
        return incident_of(row)

    def _reopen(self, finding: Finding, now: datetime, within: timedelta) -> tables.Incident | None:
        number = _newest(self._rows, finding.fingerprint)
        row = None if number is None else self._rows.get_one(tables.Incident, number)
        if row is None or row.quiet or row.resolved_at is None or now - row.resolved_at > within:
            return None
        row.acknowledged_at, row.acknowledged_by, row.suppressed_by = None, None, None
        self._reopened(row, now)
        self._rows.flush()
        self._feed(row, finding, now)
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
            confirmed=finding.confirmed,
        )
        before = self._rows.get(tables.Incident, row.previous) if row.previous else None
        if before is not None:  # a silence also holds for the next incident
            row.silenced_until, row.silenced_at = before.silenced_until, before.silenced_at
        self._rows.add(row)
        self._rows.flush()
        self._link(row.number, finding.events)
        self._note(row, Change.OPENED, now, by=WATCHER, note="from old mail" if quiet else "")
        return row

    def _feed(self, row: tables.Incident, finding: Finding, now: datetime) -> Change:
        unknown = self._unlinked(row.number, finding.events)
        if not unknown:
            return Change.UNCHANGED
        self._link(row.number, unknown)
        row.messages = max(_count_messages(self._rows, row.number), finding.messages)
        row.title, row.severity = finding.title, finding.severity
        row.first_at, row.last_at = min(row.first_at, finding.first_at), max(row.last_at, finding.last_at)
        row.senders = _joined(row.senders, finding.senders)
        row.recipient_domains = _joined(row.recipient_domains, finding.recipient_domains)
        row.statuses = _joined(row.statuses, finding.statuses)
        row.confirmed = row.confirmed or finding.confirmed
        row.updated_at = now
        self._grow(row, now)
        return Change.UPDATED

    def _grow(self, row: tables.Incident, now: datetime) -> None:
        if row.messages >= 2 * max(row.grown_at, 1):
            row.grown_at = row.messages
            self._note(row, "grew", now, by=WATCHER, note="")

    def _link(self, number: int, bounce_ids: Iterable[int]) -> None:
        rows = [{"incident": number, "bounce_id": one} for one in dict.fromkeys(bounce_ids)]
        if rows:
            self._rows.connection().execute(_NEW_LINK, rows)

    def _unlinked(self, number: int, bounce_ids: Collection[int]) -> list[int]:
        """Return the bounces that are not linked to the incident yet, in order."""
        link = tables.IncidentEvent
        query = select(link.bounce_id).where(
            col(link.incident) == number, col(link.bounce_id).in_(set(bounce_ids))
        )
        known = set(self._rows.exec(query))
        return [bounce_id for bounce_id in bounce_ids if bounce_id not in known]


def find_unresolved(session: Session, fingerprint: str) -> tables.Incident | None:
    """Return the unresolved incident of a fingerprint, None for none."""
    unresolved = (col(_INCIDENT.fingerprint) == fingerprint, col(_INCIDENT.state).not_in(CLOSED))
    return session.exec(select(_INCIDENT).where(*unresolved)).one_or_none()


def _newest(session: Session, fingerprint: str) -> int | None:
    return session.exec(
        select(func.max(_INCIDENT.number)).where(col(_INCIDENT.fingerprint) == fingerprint)
    ).one()


def _count_messages(session: Session, number: int) -> int:
    link, bounce = tables.IncidentEvent, tables.Bounce
    query = select(func.count(func.distinct(bounce.message_id))).select_from(link)
    query = query.join(bounce, col(bounce.id) == col(link.bounce_id)).where(col(link.incident) == number)
    return session.exec(query).one()


def _joined(known: Iterable[str], more: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*known, *more]))[:MAX_NAMES]
