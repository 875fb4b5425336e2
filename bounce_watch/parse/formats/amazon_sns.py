"""Amazon SES notifications by Amazon SNS: JSON as the text of a mail."""

import json
from typing import Any

from bounce_watch.model import Action, Kind, RecipientFields
from bounce_watch.parse.fields import ReportFields, read_address, read_recipient
from bounce_watch.unwrap import FoundReport, Headers
from bounce_watch.unwrap.mime.limits import MAX_RECIPIENTS
from bounce_watch.unwrap.mime.text import one_line

NAME = "amazon_sns"

_ACTIONS = {"Bounce": Action.FAILED, "Delivery": Action.DELIVERED, "Complaint": None}
_LISTS = {"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients", "Delivery": "recipients"}


def read(report: FoundReport) -> ReportFields | None:
    if "notificationType" not in report.text:
        return None
    notice = _notice(report.text)
    kind = notice.get("notificationType")
    if kind not in _ACTIONS:
        return None
    details = _table(notice.get(str(kind).lower()))
    listed = details.get(_LISTS[kind])
    entries = tuple(_entry(item, details, _ACTIONS[kind]) for item in _list(listed))
    named = tuple(entry for entry in entries if entry.final_recipient)
    return ReportFields(
        recipients=named,
        kind=Kind.FEEDBACK if kind == "Complaint" else None,
        reporting_mta=_text(details.get("reportingMTA")).partition(";")[2].strip() or None,
        returned=_returned(_table(notice.get("mail"))),
    )


def _notice(text: str) -> dict[str, Any]:
    """Return the innermost JSON object: SNS wraps the notice as a string in an object of its own."""
    found = _loads(text[text.find("{") : text.rfind("}") + 1].replace("\n", ""))
    inner = found.get("Message")
    return _loads(inner) if isinstance(inner, str) else found


def _loads(text: str) -> dict[str, Any]:
    try:
        return _table(json.loads(text, strict=False))
    except (ValueError, RecursionError):
        return {}


def _entry(item: Any, details: dict[str, Any], action: Action | None) -> RecipientFields:
    fields = _table(item)
    response = fields.get("diagnosticCode") or details.get("smtpResponse")
    address = fields.get("emailAddress") if fields else item
    return read_recipient(
        final=read_address(_text(address)),
        action=action,
        status=_text(fields.get("status")),
        diagnostic=_text(response).removeprefix("smtp;").strip(),
        remote_mta=one_line(_text(details.get("remoteMtaIp")), 255) or None,
    )


def _returned(mail: dict[str, Any]) -> Headers:
    fields = [("Return-Path", [_text(mail.get("source"))])]
    fields += [
        (_text(f.get("name")), [_text(f.get("value"))]) for f in map(_table, _list(mail.get("headers")))
    ]
    return Headers((name, values) for name, values in fields if name and values[0])


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value[:MAX_RECIPIENTS] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
