"""The JSON object that `parse` prints for each report. Other programs rely on its keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bounce_watch.model import Bounce, Evidence, NotAReport, OriginalMessage, Reading, Report, Unreadable


def as_object(
    path: str, reading: Reading, bounces: Sequence[Bounce], evidence: Evidence | None
) -> dict[str, Any]:
    """Return the object for one reading. Absent values are None."""
    match reading:
        case Report():
            return _report(path, reading, bounces, evidence)
        case NotAReport():
            empty = _empty(path, reading.kind.value, list(reading.envelopes), None)
            return {**empty, "original": _original(reading.original)}
        case Unreadable():
            return _empty(path, "unreadable", [], reading.reason)


def _report(
    path: str, report: Report, bounces: Sequence[Bounce], evidence: Evidence | None
) -> dict[str, Any]:
    return {
        "path": path,
        "kind": report.kind.value,
        "format": report.format,
        "envelopes": list(report.envelopes),
        "evidence": evidence.value if evidence else None,
        "report": {
            "reporting_mta": report.reporting_mta,
            "received_from_mta": report.received_from_mta,
            "arrival_date": _time(report.arrival_date),
            "original_envelope_id": report.original_envelope_id,
        },
        "original": _original(report.original),
        "bounces": [bounce_object(bounce) for bounce in bounces],
        "error": None,
    }


def _original(original: OriginalMessage) -> dict[str, Any]:
    return {
        "message_id": original.message_id,
        "sender": original.sender,
        "subject": original.subject,
        "date": _time(original.date),
    }


def bounce_object(bounce: Bounce) -> dict[str, Any]:
    return {
        "recipient": bounce.recipient,
        "recipient_decoded": bounce.recipient_decoded,
        "original_recipient": bounce.original_recipient,
        "sender": bounce.sender,
        "action": bounce.action.value if bounce.action else None,
        "status": bounce.status,
        "reply_code": bounce.reply_code,
        "cause": bounce.cause.value,
        "persistence": bounce.persistence.value,
        "owner": bounce.owner.value,
        "certainty": bounce.certainty.value if bounce.certainty else None,
        "side": bounce.side.value if bounce.side else None,
        "remote_mta": bounce.remote_mta,
        "diagnostic_code": bounce.diagnostic_code,
        "remote_status": bounce.remote_status,
        "remote_reply_code": bounce.remote_reply_code,
    }


def unreadable_object(path: str, error: str) -> dict[str, Any]:
    return _empty(path, "unreadable", [], error)


def _empty(path: str, kind: str, envelopes: list[str], error: str | None) -> dict[str, Any]:
    return {
        "path": path,
        "kind": kind,
        "format": None,
        "envelopes": envelopes,
        "evidence": None,
        "report": dict.fromkeys(
            ("reporting_mta", "received_from_mta", "arrival_date", "original_envelope_id")
        ),
        "original": dict.fromkeys(("message_id", "sender", "subject", "date")),
        "bounces": [],
        "error": error,
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
