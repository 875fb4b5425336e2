"""Stored rows as values of the model."""

from sqlmodel import Session, col, select

from bounce_watch.model import (
    Action,
    Bounce,
    Cause,
    Details,
    Evidence,
    Kind,
    OriginalMessage,
    Owner,
    Persistence,
    Report,
    Side,
)
from bounce_watch.store import tables
from bounce_watch.store.records import BounceRow, MessageRecord, ReportRecord
from bounce_watch.store.words import MessageState


def bounce_row_of(row: tables.Bounce, subject: str | None, message_id: str | None) -> BounceRow:
    """Return a row as a value, with the bounced mail's subject and Message-ID."""
    return BounceRow(
        id=row.id,
        report_id=row.report_id,
        message_id=row.message_id,
        recorded_at=row.recorded_at,
        bounce=_bounce_of(row),
        subject=subject,
        original_message_id=message_id,
    )


def _bounce_of(row: tables.Bounce) -> Bounce:
    return Bounce(
        recipient=row.recipient,
        sender=row.sender,
        action=Action(row.action),
        status=row.status,
        reply_code=row.reply_code,
        cause=Cause.read(row.cause),
        persistence=Persistence(row.persistence),
        owner=Owner(row.owner),
        side=None if row.side is None else Side(row.side),
        evidence=None if row.evidence is None else Evidence(row.evidence),
        original_recipient=row.original_recipient,
        recipient_decoded=row.recipient_decoded,
        remote_mta=row.remote_mta,
        diagnostic_code=row.diagnostic_code,
        remote_status=row.remote_status,
        remote_reply_code=row.remote_reply_code,
        entry=row.entry,
        why=row.why,
        occurred_at=row.occurred_at,
        details=Details.from_mapping(row.details) if row.details else None,
    )


def report_of(session: Session, row: tables.Report) -> ReportRecord:
    """Return a report with the numbers of its copies."""
    at = tables.Report
    copies = session.exec(select(at.id).where(col(at.duplicate_of) == row.id).order_by(col(at.id)))
    original = OriginalMessage(
        message_id=row.original_message_id,
        sender=row.original_sender,
        subject=row.original_subject,
        date=row.original_date,
        automatic=tuple(row.original_automatic),
    )
    report = Report(
        kind=Kind(row.kind),
        format=row.format,
        envelopes=tuple(row.envelopes),
        forwarded_by=row.forwarded_by,
        language=row.language,
        message_id=row.report_message_id,
        date=row.report_date,
        reporting_mta=row.reporting_mta,
        received_from_mta=row.received_from_mta,
        arrival_date=row.arrival_date,
        original_envelope_id=row.original_envelope_id,
        original=original,
        fingerprint=row.fingerprint or "",
    )
    return ReportRecord(
        id=row.id,
        message_id=row.message_id,
        recorded_at=row.recorded_at,
        report=report,
        evidence=None if row.evidence is None else Evidence(row.evidence),
        tests=tuple((name, outcome) for name, outcome in row.tests),
        duplicate_of=row.duplicate_of,
        copies=tuple(copies),
    )


def message_of(row: tables.Message) -> MessageRecord:
    """Return where a mail lies and what became of it."""
    return MessageRecord(
        id=row.id,
        mailbox=row.mailbox,
        validity=row.validity,
        uid=row.uid,
        sha256=row.sha256,
        size=row.size,
        received_at=row.received_at,
        seen_at=row.seen_at,
        kind=None if row.kind is None else Kind(row.kind),
        state=MessageState(row.state),
        reason=row.reason,
        attempts=row.attempts,
    )
