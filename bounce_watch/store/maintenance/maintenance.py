"""Maintenance: purge old rows, hash or drop subjects, write the audit log.

A purge deletes in batches; each is a short transaction that checks again which rows may be deleted. The
location of a message that is still in the watched folder is kept, so that it is not read as a new one.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, update
from sqlmodel import Session, col, select

from bounce_watch.model import Edition, subject_hash
from bounce_watch.store import tables
from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.database.values import value_of
from bounce_watch.store.maintenance import retention
from bounce_watch.store.maintenance.retention import Digested, Purgeable, RetentionLimits, may_go
from bounce_watch.store.meta import read_time, write_value
from bounce_watch.store.queries.counts import keep_counts
from bounce_watch.store.state import State
from bounce_watch.store.vocabulary import MessageState

BATCH = 100
"""Rows deleted in one transaction, so that other writers wait for less than 0.1 seconds."""

MOVING_SOURCES = ("imap:", "maildir:")
"""Mailboxes from which filed messages are moved, so that they are not read there again."""

_MAINTENANCE_AT = "upkeep_at"
_NUMBERS: dict[Purgeable, Any] = {
    Purgeable.MAILS: tables.Outgoing.id,
    Purgeable.WITHHELD: tables.Withheld.id,
    Purgeable.QUARANTINED: tables.Quarantined.id,
    Purgeable.DNS: tables.DnsFinding.id,
    Purgeable.INCIDENTS: tables.Incident.number,
    Purgeable.MESSAGES: tables.Message.id,
}
_HASHES = ("sha256:", "sha256;")
"""Hashed subjects sort between these two, so that the index finds all other subjects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit log: who did what to the store, and the number of affected rows by kind."""

    at: datetime
    by: str
    deed: str
    figures: dict[str, int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRows:
    """What a purge would delete now, and how many other old messages stay, by reason."""

    goes: dict[str, int]
    stays: dict[str, int]


class MaintenanceQueries(Queries):
    def digested(self, editions: Collection[Edition] = (), weekday: int = 0) -> Digested:
        """Return the rows that all these editions of the digest have reported."""
        with self._reading() as session:
            return retention.digested_by(session, editions, weekday)

    def find_old(
        self, what: Purgeable, limits: RetentionLimits, *, after: int = 0, most: int = BATCH
    ) -> tuple[int, ...]:
        """Return the numbers of rows that may be deleted, in order, those after `after` only."""
        number = col(_NUMBERS[what])
        query = select(number).where(number > after, may_go(what, limits)).order_by(number).limit(most)
        with self._reading() as session:
            return tuple(session.exec(query))

    def old_rows(self, limits: RetentionLimits) -> OldRows:
        needs = {
            "unfinished": retention.is_unfinished(),
            "not yet in a digest": retention.awaits_digest(limits),
            "proof of an incident that stays": retention.belongs_to_incident(limits),
            "a mail about it stays": retention.has_mail(limits),
            "a copy came later": retention.has_copy(limits),
        }
        old, message = retention.is_old(limits), tables.Message.id
        with self._reading() as session:
            goes = {what.value: _count(session, _NUMBERS[what], may_go(what, limits)) for what in Purgeable}
            stays = {why: _count(session, message, old & need) for why, need in needs.items()}
        return OldRows(goes=goes, stays={why: count for why, count in stays.items() if count})

    def find_subjects(self, *, hashed: bool, most: int = BATCH) -> tuple[int, ...]:
        """Return reports whose subject must change: all that are not hashed, or any if not `hashed`."""
        subject: Any = col(tables.Report.original_subject)
        other = or_(subject < _HASHES[0], subject >= _HASHES[1]) if hashed else subject.is_not(None)
        with self._reading() as session:
            return tuple(session.exec(select(tables.Report.id).where(other).limit(most)))

    def last_maintenance_at(self) -> datetime | None:
        """Return when the daily maintenance last finished, None for never."""
        with self._reading() as session:
            return read_time(session, _MAINTENANCE_AT)

    def audit_log(self, limit: int = 100) -> tuple[AuditEntry, ...]:
        """Return the audit log, newest first."""
        query = select(tables.Audit).order_by(col(tables.Audit.id).desc()).limit(limit)
        with self._reading() as session:
            return tuple(value_of(AuditEntry, row) for row in session.exec(query))


class Maintenance(MaintenanceQueries, Repository):
    def delete_old(
        self, what: Purgeable, numbers: Sequence[int], limits: RetentionLimits, *, keep: bool
    ) -> Counter[str]:
        """Delete those rows that may still be deleted and their dependent rows; count them by kind.

        `keep`: add the deleted bounces to the daily counts.
        """
        session, number = self._rows, col(_NUMBERS[what])
        sure = list(session.exec(select(number).where(number.in_(numbers), may_go(what, limits))))
        match what:
            case Purgeable.MAILS:
                State(session).forget_resent(sure)
                return Counter(mails=_delete(session, tables.Outgoing, number.in_(sure)))
            case Purgeable.WITHHELD:
                return Counter(withheld=_delete(session, tables.Withheld, number.in_(sure)))
            case Purgeable.QUARANTINED:
                return Counter(quarantined=_delete(session, tables.Quarantined, number.in_(sure)))
            case Purgeable.DNS:
                return Counter(dns=_delete(session, tables.DnsFinding, number.in_(sure)))
            case Purgeable.INCIDENTS:
                return _delete_incidents(session, sure)
            case Purgeable.MESSAGES:
                return _delete_messages(session, sure, keep=keep)

    def change_subjects(self, numbers: Sequence[int], *, hashed: bool) -> None:
        """Replace subjects by their hashes, or delete them."""
        for row in self._rows.exec(select(tables.Report).where(col(tables.Report.id).in_(numbers))):
            keeps = hashed and row.original_subject is not None
            row.original_subject = subject_hash(row.original_subject or "") if keeps else None

    def note_maintenance(self, now: datetime) -> None:
        write_value(self._rows, _MAINTENANCE_AT, now)

    def add_audit_entry(self, deed: str, by: str, figures: dict[str, int | str], now: datetime) -> None:
        """Add a line to the audit log. It names only the account `by`, no other person."""
        self._rows.add(tables.Audit(at=now, by=by, deed=deed, figures=figures))


def _delete_incidents(session: Session, numbers: Sequence[int]) -> Counter[str]:
    incident = tables.Incident
    for table in (tables.IncidentEvent, tables.IncidentChange):
        _delete(session, table, col(table.incident).in_(numbers))
    session.execute(update(incident).where(col(incident.previous).in_(numbers)).values(previous=None))
    return Counter(incidents=_delete(session, incident, col(incident.number).in_(numbers)))


def _delete_messages(session: Session, numbers: Sequence[int], *, keep: bool) -> Counter[str]:
    bounce, report = tables.Bounce, tables.Report
    own = select(report.id).where(col(report.message_id).in_(numbers))
    with_copies = or_(col(report.id).in_(own), col(report.duplicate_of).in_(own))
    reports = list(session.exec(select(report.id).where(with_copies)))
    if keep:
        keep_counts(session, numbers)
    bounces = select(bounce.id).where(col(bounce.message_id).in_(numbers))
    _delete(session, tables.IncidentEvent, col(tables.IncidentEvent.bounce_id).in_(bounces))
    for table in (tables.Outgoing, tables.Withheld):
        _delete(session, table, col(table.report_id).in_(reports))
    rows = _delete(session, bounce, col(bounce.message_id).in_(numbers))
    # Duplicates refer to the first report, so they are deleted first.
    gone = _delete(session, report, col(report.id).in_(reports) & col(report.duplicate_of).is_not(None))
    gone += _delete(session, report, col(report.id).in_(reports))
    _keep_locations(session, numbers)
    return Counter(messages=len(numbers), reports=gone, bounces=rows)


def _keep_locations(session: Session, numbers: Sequence[int]) -> None:
    """Delete messages that were moved away; keep location, kind and state of the others."""
    message = tables.Message
    moved = or_(*(col(message.mailbox).startswith(scheme) for scheme in MOVING_SOURCES))
    gone = col(message.id).in_(numbers) & moved & (col(message.state) == MessageState.FILED)
    quarantined = col(message.id).in_(select(tables.Quarantined.message_id))
    _delete(session, message, gone & ~quarantined)
    session.execute(
        update(message).where(col(message.id).in_(numbers)).values(sha256=None, size=None, reason=None)
    )


def _count(session: Session, number: Any, condition: Any) -> int:
    return session.exec(select(func.count(number)).where(condition)).one()


def _delete(session: Session, table: Any, condition: Any) -> int:
    statement = delete(table).where(condition).execution_options(synchronize_session=False)
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]
