"""Delete what is old, a few rows at a time: each batch is a short transaction that proves again what may go.

Of a message that still lies in the watched place its place stays, so that it is never taken for a new one.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, or_, update
from sqlmodel import Session, col, select

from bounce_watch.store import tables
from bounce_watch.store.maintenance.retention import Limits, Old, may_go
from bounce_watch.store.queries.counts import keep_counts
from bounce_watch.store.state import State
from bounce_watch.store.vocabulary import MessageState

BATCH = 100
"""Rows deleted in one transaction: others wait for less than a tenth of a second."""

MOVING_SOURCES = ("imap:", "maildir:")
"""Places whose mail is moved away once it is filed, so that it cannot be met there again."""

_NUMBERS: dict[Old, Any] = {
    Old.MAILS: tables.Outgoing.id,
    Old.WITHHELD: tables.Withheld.id,
    Old.QUARANTINED: tables.Quarantined.id,
    Old.INCIDENTS: tables.Incident.number,
    Old.MESSAGES: tables.Message.id,
}


def find_old(session: Session, what: Old, limits: Limits, *, after: int, most: int) -> tuple[int, ...]:
    """Return the numbers of rows that may go, in order, from the one after `after` on."""
    number = col(_NUMBERS[what])
    query = select(number).where(number > after, may_go(what, limits)).order_by(number).limit(most)
    return tuple(session.exec(query))


def count_old(session: Session, what: Old, limits: Limits) -> int:
    """Return how many rows may go."""
    number = col(_NUMBERS[what])
    return session.exec(select(func.count(number)).where(may_go(what, limits))).one()


def delete_old(
    session: Session, what: Old, numbers: Sequence[int], limits: Limits, *, keep: bool
) -> Counter[str]:
    """Delete those of the rows that may still go, and what hangs on them; return how many of what.

    `keep`: add what is deleted to the daily counts.
    """
    number = col(_NUMBERS[what])
    query = select(number).where(number.in_(numbers), may_go(what, limits))
    sure = list(session.exec(query))
    match what:
        case Old.MAILS:
            return _delete_mails(session, sure)
        case Old.WITHHELD:
            return Counter(withheld=_delete(session, tables.Withheld, number.in_(sure)))
        case Old.QUARANTINED:
            return Counter(quarantined=_delete(session, tables.Quarantined, number.in_(sure)))
        case Old.INCIDENTS:
            return _delete_incidents(session, sure)
        case Old.MESSAGES:
            return _delete_messages(session, sure, keep=keep)


def _delete_mails(session: Session, numbers: Sequence[int]) -> Counter[str]:
    State(session).forget_resent(numbers)
    return Counter(mails=_delete(session, tables.Outgoing, col(tables.Outgoing.id).in_(numbers)))


def _delete_incidents(session: Session, numbers: Sequence[int]) -> Counter[str]:
    at = tables.Incident
    for table in (tables.IncidentEvent, tables.IncidentChange):
        _delete(session, table, col(table.incident).in_(numbers))
    session.execute(update(at).where(col(at.previous).in_(numbers)).values(previous=None))
    return Counter(incidents=_delete(session, at, col(at.number).in_(numbers)))


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
    # Copies point at the reports that they repeat, so they go first.
    gone = _delete(session, report, col(report.id).in_(reports) & col(report.duplicate_of).is_not(None))
    gone += _delete(session, report, col(report.id).in_(reports))
    _leave_places(session, numbers)
    return Counter(messages=len(numbers), reports=gone, bounces=rows)


def _leave_places(session: Session, numbers: Sequence[int]) -> None:
    """Keep of a message where it lies and what it was, unless it was moved away from there."""
    at = tables.Message
    moved = or_(*(col(at.mailbox).startswith(scheme) for scheme in MOVING_SOURCES))
    gone = col(at.id).in_(numbers) & moved & (col(at.state) == MessageState.FILED)
    quarantined = col(at.id).in_(select(tables.Quarantined.message_id))
    _delete(session, at, gone & ~quarantined)
    left = update(at).where(col(at.id).in_(numbers)).values(sha256=None, size=None, reason=None)
    session.execute(left)


def _delete(session: Session, table: Any, condition: Any) -> int:
    statement = delete(table).where(condition).execution_options(synchronize_session=False)
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]
