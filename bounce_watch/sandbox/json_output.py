"""The JSON object that `parse` prints for each report. Other programs rely on its keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bounce_watch.model import Bounce, NotAReport, OriginalMessage, Reading, Report, Unreadable

_REPORT = ("reporting_mta", "received_from_mta", "arrival_date", "original_envelope_id")
_ORIGINAL = ("message_id", "sender", "subject", "date")
_BOUNCE = (
    *("recipient", "recipient_decoded", "original_recipient", "sender", "action", "status", "reply_code"),
    *("cause", "persistence", "owner", "certainty", "side", "remote_mta", "diagnostic_code"),
    *("remote_status", "remote_reply_code"),
)


def as_object(path: str, reading: Reading, bounces: Sequence[Bounce]) -> dict[str, Any]:
    """Return the object for one reading. Absent values are None; no store, so no trust level."""
    match reading:
        case Report():
            return _object(
                path,
                reading.kind,
                reading.envelopes,
                format=reading.format,
                report=_values(reading, _REPORT),
                original=_values(reading.original, _ORIGINAL),
                bounces=[bounce_object(bounce) for bounce in bounces],
            )
        case NotAReport():
            original = _values(reading.original, _ORIGINAL)
            return _object(path, reading.kind, reading.envelopes, original=original)
        case Unreadable():
            return unreadable_object(path, reading.reason)


def bounce_object(bounce: Bounce) -> dict[str, Any]:
    return _values(bounce, _BOUNCE)


def unreadable_object(path: str, error: str) -> dict[str, Any]:
    return _object(path, "unreadable", error=error)


def _object(path: str, kind: str, envelopes: Sequence[str] = (), **values: Any) -> dict[str, Any]:
    return {
        "path": path,
        "kind": str(kind),
        "format": None,
        "envelopes": list(envelopes),
        "evidence": None,
        "report": dict.fromkeys(_REPORT),
        "original": dict.fromkeys(_ORIGINAL),
        "bounces": [],
        "error": None,
    } | values


def _values(value: Bounce | Report | OriginalMessage, names: Sequence[str]) -> dict[str, Any]:
    found = {name: getattr(value, name) for name in names}
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in found.items()}
