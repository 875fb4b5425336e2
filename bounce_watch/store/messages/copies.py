"""A copy of a report that proves more than the first copy takes its place."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select, update

from bounce_watch.model import Bounce, Event
from bounce_watch.store import tables
from bounce_watch.store.messages.events import EVENT_COLUMNS, failed_events
from bounce_watch.store.messages.rows import bounce_row
from bounce_watch.store.records import StoredReport

_REPORT, _BOUNCE = tables.Report, tables.Bounce
_KEPT = {"id", "duplicate_of", "fingerprint"}


def put_first(
    session: Session, copy: StoredReport, bounces: Sequence[Bounce], now: datetime
) -> tuple[Event, ...]:
    """Let a stored copy be the first of its report, and return its failed bounces as events.

    The report and its bounces keep their numbers, which incidents and replies refer to. A fingerprint covers
    the recipients and what was said about each, so both copies have the same bounces.
    """
    first = session.get_one(_REPORT, copy.duplicate_of)
    _swap(session, first, session.get_one(_REPORT, copy.report_id))
    rows = [
        {**bounce_row(one), "occurred_at": min(one.occurred_at or copy.reported_at, now)} for one in bounces
    ]
    known = session.exec(
        select(_BOUNCE.id, _BOUNCE.recipient_key)
        .where(col(_BOUNCE.report_id) == first.id)
        .order_by(col(_BOUNCE.id))
    )
    for number, recipient in known.all():
        row = next((row for row in rows if row["recipient_key"] == recipient), None)
        if row is not None:
            rows.remove(row)
            values = {**row, "message_id": copy.message_id, "first_verdict": None}
            session.connection().execute(update(_BOUNCE).where(col(_BOUNCE.id) == number).values(values))
    query = select(*EVENT_COLUMNS).where(col(_BOUNCE.report_id) == first.id).order_by(col(_BOUNCE.id))
    return failed_events(session.connection().execute(query))


def _swap(session: Session, first: tables.Report, copy: tables.Report) -> None:
    """Exchange what two reports say; their numbers stay."""
    for name in set(_REPORT.model_fields) - _KEPT:
        mine, other = getattr(first, name), getattr(copy, name)
        setattr(first, name, other)
        setattr(copy, name, mine)
    session.flush()
