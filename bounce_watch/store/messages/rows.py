"""Convert reports and bounces to rows, and rows back to values."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from bounce_watch.model import Bounce, Details, OriginalMessage, Report
from bounce_watch.store import tables
from bounce_watch.store.database.columns import fold
from bounce_watch.store.database.values import value_of
from bounce_watch.store.records import BounceRow, ReportRecord

_BOUNCE = tuple(field.name for field in fields(Bounce) if field.name not in {"occurred_at", "details"})
_REPORT = (
    *("kind", "format", "forwarded_by", "language", "reporting_mta", "received_from_mta"),
    *("arrival_date", "original_envelope_id"),
)
_ORIGINAL = ("message_id", "sender", "subject", "date")


def report_row(message_id: int, report: Report, now: datetime) -> dict[str, Any]:
    """Return the columns of a report, except for its evidence and `duplicate_of`."""
    return {
        "message_id": message_id,
        "recorded_at": now,
        **{name: getattr(report, name) for name in _REPORT},
        **{f"original_{name}": getattr(report.original, name) for name in _ORIGINAL},
        "envelopes": list(report.envelopes),
        "fingerprint": report.fingerprint or None,
        "report_message_id": report.message_id,
        "report_date": report.date,
        "original_automatic": list(report.original.automatic),
    }


def bounce_row(bounce: Bounce) -> dict[str, Any]:
    """Return the columns of a bounce, except for its report and its time."""
    return {
        **{name: getattr(bounce, name) for name in _BOUNCE},
        "recipient_key": fold(bounce.recipient),
        "recipient_domain": _folded(bounce.recipient_domain),
        "sender_key": _folded(bounce.sender),
        "sender_domain": _folded(bounce.sender_domain),
        "details": bounce.details.as_mapping() if bounce.details else None,
    }


def _folded(text: str | None) -> str | None:
    return None if text is None else fold(text)


def bounce_of(row: tables.Bounce) -> Bounce:
    return value_of(Bounce, row, details=Details.from_mapping(row.details) if row.details else None)


def bounce_row_of(
    row: tables.Bounce, subject: str | None, message_id: str | None, sent_at: datetime | None = None
) -> BounceRow:
    """Return a stored bounce with its numbers, and the bounced message's subject and Message-ID."""
    return value_of(
        BounceRow,
        row,
        bounce=bounce_of(row),
        subject=subject,
        original_message_id=message_id,
        sent_at=sent_at,
    )


def report_of(session: Session, row: tables.Report) -> ReportRecord:
    """Return a report with the numbers of its copies."""
    table = tables.Report
    copies = session.exec(select(table.id).where(col(table.duplicate_of) == row.id).order_by(col(table.id)))
    original = OriginalMessage(
        **{name: getattr(row, f"original_{name}") for name in _ORIGINAL},
        automatic=tuple(row.original_automatic),
    )
    report = value_of(
        Report,
        row,
        message_id=row.report_message_id,
        date=row.report_date,
        original=original,
        fingerprint=row.fingerprint or "",
        recipients=(),
        provenance=(),
        answer=None,
    )
    return value_of(
        ReportRecord,
        row,
        report=report,
        tests=tuple((name, outcome) for name, outcome in row.tests),
        copies=tuple(copies),
    )
