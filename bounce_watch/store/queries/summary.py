"""Figures of the whole store, for `stats` and the health checks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from bounce_watch.model import IncidentState, LetterKind, OutboxState
from bounce_watch.store import tables
from bounce_watch.store.database.session import Queries
from bounce_watch.store.meta import read_time
from bounce_watch.store.outbox.queries import FARTHEST
from bounce_watch.store.vocabulary import QuarantineState


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Figures of the whole store: `messages` and `mails` (outgoing) by kind, `withheld` by reason."""

    messages: dict[str, int]
    reports: int
    duplicates: int
    bounces: int
    incidents_open: int
    outbox: dict[str, int]
    mails: dict[str, int]
    withheld: dict[str, int]
    quarantined: int
    first_run_at: datetime | None
    last_success_fetch_at: datetime | None
    oldest_pending_at: datetime | None
    first_bounce_at: datetime | None
    last_bounce_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """Messages that should have left. `why` is the newest answer of the server, "" for none."""

    count: int
    alerts: int
    since: datetime
    why: str


class Summary(Queries):
    def count_outbox(self) -> dict[str, int]:
        """Count the messages in the outbox by state; fast even with a long history."""
        with self._reading() as session:
            return _by(session, tables.Outgoing.state)

    def stuck(self, before: datetime) -> Stuck | None:
        """Return what could not leave although it was due before then, None for nothing."""
        mail = tables.Outgoing
        is_late = (col(mail.pending_since) <= before) | (col(mail.pending_since) > before + FARTHEST)
        tried = (col(mail.attempts) > 0) & is_late
        late = col(mail.state) == OutboxState.PENDING, tried | (col(mail.next_at) <= before)
        query: Any = select(mail.kind, mail.pending_since, mail.created_at, mail.server_reply)
        with self._reading() as session:
            rows = session.exec(query.where(*late).order_by(col(mail.id))).all()
        if not rows:
            return None
        return Stuck(
            count=len(rows),
            alerts=sum(row.kind == LetterKind.ALERT for row in rows),
            since=min(row.pending_since or row.created_at for row in rows),
            why=next((row.server_reply for row in reversed(rows) if row.server_reply), ""),
        )

    def count_failed(self, since: datetime) -> int:
        """Count the messages written since then that failed."""
        mail = tables.Outgoing
        given_up = (col(mail.state) == OutboxState.FAILED, col(mail.created_at) >= since)
        with self._reading() as session:
            return session.exec(select(func.count()).select_from(mail).where(*given_up)).one()

    def count_quarantined(self) -> int:
        """Count the messages in quarantine that were not requeued."""
        with self._reading() as session:
            return _by(session, tables.Quarantined.state).get(QuarantineState.QUARANTINED, 0)

    def stats(self) -> Stats:
        bounce, mail, report = tables.Bounce, tables.Outgoing, tables.Report
        with self._reading() as session:
            pending = select(func.min(mail.pending_since)).where(col(mail.state) == OutboxState.PENDING)
            copies = select(func.count()).select_from(report).where(col(report.duplicate_of).is_not(None))
            incidents = _by(session, tables.Incident.state)
            return Stats(
                messages=_by(session, tables.Message.kind),
                reports=_total(session, report.id),
                duplicates=session.exec(copies).one(),
                bounces=_total(session, bounce.id),
                incidents_open=incidents.get(IncidentState.OPEN, 0) + incidents.get(IncidentState.QUIET, 0),
                outbox=_by(session, mail.state),
                mails=_by(session, mail.kind),
                withheld=_by(session, tables.Withheld.reason),
                quarantined=_by(session, tables.Quarantined.state).get(QuarantineState.QUARANTINED, 0),
                first_run_at=read_time(session, "first_run_at"),
                last_success_fetch_at=read_time(session, "last_success_fetch_at"),
                oldest_pending_at=session.exec(pending).one(),
                first_bounce_at=session.exec(select(func.min(bounce.occurred_at))).one(),
                last_bounce_at=session.exec(select(func.max(bounce.occurred_at))).one(),
            )


def _by(session: Session, column: str | None) -> dict[str, int]:
    query = select(column, func.count()).where(col(column).is_not(None)).group_by(col(column))
    return {str(label): count for label, count in session.exec(query)}


def _total(session: Session, column: int) -> int:
    return session.exec(select(func.count(col(column)))).one()
