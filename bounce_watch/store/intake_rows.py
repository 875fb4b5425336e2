"""Reports and bounces as the rows that are stored of them."""

from datetime import datetime
from typing import Any

from bounce_watch.model import Bounce, Report
from bounce_watch.store.columns import fold


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
