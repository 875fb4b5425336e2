"""Upkeep: what is asked about the store's own state, and what is written to keep it right."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import col, select

from bounce_watch.model import Edition
from bounce_watch.store import tables
from bounce_watch.store.database.session import Queries, Repository
from bounce_watch.store.maintenance import retention
from bounce_watch.store.maintenance.purge import count_old, delete_old, find_old
from bounce_watch.store.maintenance.retention import Digested, Limits, Old
from bounce_watch.store.meta import read_time, write_value
from bounce_watch.store.privacy.subjects import change_subjects, find_subjects

_UPKEEP_AT = "upkeep_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit: who did what to the store, and how many rows of what it touched."""

    at: datetime
    by: str
    deed: str
    figures: dict[str, int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRows:
    """What a purge would do now: rows that go, and why other old messages stay."""

    goes: dict[str, int]
    stays: dict[str, int]


class MaintenanceQueries(Queries):
    """Questions about the store's own state."""

    def digested(self, editions: Collection[Edition] = (), weekday: int = 0) -> Digested:
        """Return what every wanted edition of the digest has told."""
        with self._reading() as session:
            return retention.digested_by(session, editions, weekday)

    def find_old(self, what: Old, limits: Limits, *, after: int = 0, most: int = 100) -> tuple[int, ...]:
        """Return the numbers of rows that a purge deletes, in order."""
        with self._reading() as session:
            return find_old(session, what, limits, after=after, most=most)

    def old_rows(self, limits: Limits) -> OldRows:
        """Count what a purge would delete, and the old messages that something still needs."""
        message, old = tables.Message, retention.is_old(limits)
        needs = {
            "unfinished": retention.is_unfinished(),
            "not yet in a digest": retention.is_untold(limits),
            "proof of an incident that stays": retention.proves(limits),
            "a mail about it stays": retention.has_mail(limits),
            "a copy came later": retention.has_copy(limits),
        }
        with self._reading() as session:
            goes = {what.value: count_old(session, what, limits) for what in Old}
            stays = {
                why: session.exec(select(func.count()).select_from(message).where(old, need)).one()
                for why, need in needs.items()
            }
        return OldRows(goes=goes, stays={why: count for why, count in stays.items() if count})

    def find_subjects(self, *, hashed: bool, most: int = 100) -> tuple[int, ...]:
        """Return reports whose subject is stored otherwise than wanted: `hashed`, else not at all."""
        with self._reading() as session:
            return find_subjects(session, hashed=hashed, most=most)

    def last_upkeep_at(self) -> datetime | None:
        """Return when the daily upkeep was last done to its end."""
        with self._reading() as session:
            return read_time(session, _UPKEEP_AT)

    def audit_log(self, limit: int = 100) -> tuple[AuditEntry, ...]:
        """Return what was done to the store as a whole, newest first."""
        at = tables.Audit
        with self._reading() as session:
            rows = session.exec(select(at).order_by(col(at.id).desc()).limit(limit))
            return tuple(
                AuditEntry(at=row.at, by=row.by, deed=row.deed, figures=dict(row.figures)) for row in rows
            )


class Maintenance(MaintenanceQueries, Repository):
    """Writing what keeps the store right."""

    def delete_old(self, what: Old, numbers: Sequence[int], limits: Limits, *, keep: bool) -> Counter[str]:
        """Delete those of the rows that nothing needs; return how many of what. See `find_old`."""
        return delete_old(self._rows, what, numbers, limits, keep=keep)

    def change_subjects(self, numbers: Sequence[int], *, hashed: bool) -> None:
        """Replace subjects by their hashes, or drop them."""
        change_subjects(self._rows, numbers, hashed=hashed)

    def note_upkeep(self, now: datetime) -> None:
        """Note that the daily upkeep is done."""
        write_value(self._rows, _UPKEEP_AT, now)

    def add_audit_entry(self, deed: str, by: str, figures: dict[str, int | str], now: datetime) -> None:
        """Write a line into the audit; it names no person but the one who did it."""
        self._rows.add(tables.Audit(at=now, by=by, deed=deed, figures=figures))
