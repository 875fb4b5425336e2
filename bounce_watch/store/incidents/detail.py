"""Details of one incident: its bounces, its history and the messages written about it."""

from collections import Counter
from collections.abc import Iterable

from sqlmodel import Session, col, select

from bounce_watch.model import Details, IncidentStep
from bounce_watch.model.finding import RefusalExamples
from bounce_watch.store import tables
from bounce_watch.store.database.errors import NotThere
from bounce_watch.store.database.values import value_of
from bounce_watch.store.incidents.lifecycle import incident_of
from bounce_watch.store.messages.rows import bounce_row_of
from bounce_watch.store.outbox.queries import entries
from bounce_watch.store.records import BounceRow, IncidentDetail

MAX_BOUNCES = 10_000
"""Maximum bounces shown of one incident."""
MAX_EXAMPLES = 10

_INCIDENT, _LINK, _BOUNCE = tables.Incident, tables.IncidentEvent, tables.Bounce


def refusal_examples_of(session: Session, number: int, limit: int) -> RefusalExamples:
    report = tables.Report
    query = select(_BOUNCE.details, _BOUNCE.entry, _BOUNCE.recipient, report.original_message_id)
    query = query.join(_LINK, col(_LINK.bounce_id) == col(_BOUNCE.id))
    query = query.join(report, col(report.id) == col(_BOUNCE.report_id)).where(col(_LINK.incident) == number)
    rows = session.exec(query.order_by(col(_BOUNCE.id).desc()).limit(limit)).all()
    return RefusalExamples(
        details=tuple(Details.from_mapping(known) for known, *_ in rows if known),
        entries=_most_frequent(row[1] for row in rows),
        recipients=_most_frequent(row[2] for row in rows),
        message_ids=_most_frequent(row[3] for row in rows),
    )


def _most_frequent(values: Iterable[str | None]) -> tuple[str, ...]:
    counts = Counter(value for value in values if value)
    return tuple(value for value, _ in counts.most_common(MAX_EXAMPLES))


def show_incident(session: Session, number: int) -> IncidentDetail:
    """Return an incident with its bounces and history. Raises NotThere for an unknown number."""
    row = session.get(_INCIDENT, number)
    if row is None:
        raise NotThere(f"there is no incident INC-{number}", "`bounce-watch incidents` lists them.")
    bounces = _bounces(session, number)
    return IncidentDetail(
        incident=incident_of(row, tuple(bounce.id for bounce in bounces)),
        previous=row.previous,
        quiet=row.quiet,
        bounces=bounces,
        changes=incident_steps(session, number),
        mails=entries(session, col(tables.Outgoing.incident) == number),
    )


def _bounces(session: Session, number: int) -> tuple[BounceRow, ...]:
    link, bounce, report = tables.IncidentEvent, tables.Bounce, tables.Report
    query = select(bounce, report.original_subject, report.original_message_id, report.original_date)
    query = query.join(link, col(link.bounce_id) == col(bounce.id))
    query = query.join(report, col(report.id) == col(bounce.report_id)).where(col(link.incident) == number)
    query = query.order_by(col(bounce.occurred_at), col(bounce.id)).limit(MAX_BOUNCES)
    return tuple(bounce_row_of(*row) for row in session.exec(query))


def incident_steps(session: Session, number: int, limit: int | None = None) -> tuple[IncidentStep, ...]:
    """Return the history of an incident, oldest step first."""
    line = tables.IncidentChange
    query = select(line).where(col(line.incident) == number).order_by(col(line.id)).limit(limit)
    return tuple(value_of(IncidentStep, row) for row in session.exec(query))
