"""Reports and bounces as the rows that are stored of them.

Stored rows as values of the model."""

from datetime import datetime
from typing import Any

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
from bounce_watch.store.database.columns import fold
from bounce_watch.store.records import BounceRow, MessageRecord, ReportRecord
from bounce_watch.store.vocabulary import MessageState


def report_row(message_id: int, report: Report, now: datetime) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "recorded_at": now,
        "kind": report.kind,
        "format": report.format,
        "envelopes": list(report.envelopes),
        "fingerprint": report.fingerprint or None,
        "forwarded_by": report.forwarded_by,
        "language": report.language,
        "report_message_id": report.message_id,
        "report_date": report.date,
        "reporting_mta": report.reporting_mta,
        "received_from_mta": report.received_from_mta,
        "arrival_date": report.arrival_date,
        "original_envelope_id": report.original_envelope_id,
        "original_message_id": report.original.message_id,
        "original_sender": report.original.sender,
        "original_subject": report.original.subject,
        "original_date": report.original.date,
        "original_automatic": list(report.original.automatic),
    }


def bounce_row(bounce: Bounce) -> dict[str, Any]:
    return {
        "recipient": bounce.recipient,
        "recipient_key": fold(bounce.recipient),
        "recipient_domain": _folded(bounce.recipient_domain),
        "recipient_decoded": bounce.recipient_decoded,
        "original_recipient": bounce.original_recipient,
        "sender": bounce.sender,
        "sender_key": _folded(bounce.sender),
        "sender_domain": _folded(bounce.sender_domain),
        "action": bounce.action,
        "status": bounce.status,
        "reply_code": bounce.reply_code,
        "cause": bounce.cause,
        "persistence": bounce.persistence,
        "owner": bounce.owner,
        "side": bounce.side,
        "evidence": bounce.evidence,
        "remote_mta": bounce.remote_mta,
        "diagnostic_code": bounce.diagnostic_code,
        "remote_status": bounce.remote_status,
        "remote_reply_code": bounce.remote_reply_code,
        "entry": bounce.entry,
        "why": bounce.why,
        "details": bounce.details.as_mapping() if bounce.details else None,
    }


def _folded(text: str | None) -> str | None:
    return None if text is None else fold(text)


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
