"""Complaints: the Abuse Reporting Format (RFC 5965), Hotmail's older form, Apple's unsubscribe mails.

Feedback, never a bounce: its recipient entries have no action.
"""

from bounce_watch.model import Kind, RecipientFields
from bounce_watch.parse.dates import read_date
from bounce_watch.parse.fields import ReportFields, read_address
from bounce_watch.unwrap import FoundReport, addresses, read_headers
from bounce_watch.unwrap.mime.limits import MAX_HEADER_BLOCK

NAME = "arf"

# Hotmail and Amazon SES: a complaint without the report part, the mail attached.
_ABOUT = "complaint about message from "
_HOTMAIL_RECIPIENT = "x-hmxmroriginalrecipient"


def read(report: FoundReport) -> ReportFields | None:
    headers = report.returned_headers
    if "x-apple-unsubscribe" in report.headers:
        return _complaint(addresses(report.headers.first("from"), 1))
    if headers and _HOTMAIL_RECIPIENT in headers:
        return _complaint(addresses(headers.first(_HOTMAIL_RECIPIENT), 1))
    if headers and (report.headers.first("subject") or "").lower().startswith(_ABOUT):
        return _complaint(addresses(headers.first("to"), 10))
    part = report.leaf("message/feedback-report")
    declared = report.message.parameters.get("report-type", "").lower() == "feedback-report"
    if part is None and (not declared or report.inline is not None):
        return None
    content = part.content[:MAX_HEADER_BLOCK].lstrip(b"\r\n") if part else b""
    fields = read_headers(content)[0]
    named = tuple(filter(None, map(read_address, fields.every("original-rcpt-to"))))
    complained = named or addresses(headers.first("to") if headers else None, 10)
    return ReportFields(
        kind=Kind.FEEDBACK,
        recipients=tuple(RecipientFields(final_recipient=address) for address in complained),
        reporting_mta=(fields.line("reporting-mta", 255) or "").rpartition(";")[2].strip() or None,
        arrival_date=read_date(fields.first("arrival-date") or fields.first("received-date")),
        original_envelope_id=fields.line("original-envelope-id", 255),
    )


def _complaint(complainants: tuple[str, ...]) -> ReportFields:
    entries = tuple(RecipientFields(final_recipient=address) for address in complainants)
    return ReportFields(kind=Kind.FEEDBACK, recipients=entries)
