"""Messages that report no delivery: automatic replies (RFC 3834), receipts (RFC 8098) and others."""

from bounce_watch.model import Kind, NotAReport, Unreadable
from bounce_watch.parse.formats import sieve_reject
from bounce_watch.parse.narrative import seems_by_a_mail_system
from bounce_watch.parse.original import read_original
from bounce_watch.unwrap import FoundReport, Headers, read_headers
from bounce_watch.unwrap.automatic import is_automatic_reply
from bounce_watch.unwrap.forwarded import is_outlook_item
from bounce_watch.unwrap.mime.compound_file import is_readable
from bounce_watch.unwrap.mime.limits import MAX_HEADER_BLOCK
from bounce_watch.unwrap.mime.outlook_item import as_mail

_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_STAND_IN = "retrieval using the imap4 protocol failed"


def find_kind(report: FoundReport) -> NotAReport | None:
    """Return what a message is if its headers say that it isn't a delivery report."""
    if _is_receipt(report):
        reason = "a receipt: someone's mail program says that a mail was read or deleted"
        return _about(report, Kind.RECEIPT, reason)
    if is_automatic_reply(report.headers) and not seems_by_a_mail_system(report):
        return _about(report, Kind.AUTO_REPLY, "an automatic reply")
    if _STAND_IN in f"{report.headers.first('subject')}\n{report.text[:500]}".lower():
        reason = "Exchange's stand-in for a message that it could not hand over"
        return NotAReport(kind=Kind.NOT_A_REPORT, reason=reason, envelopes=report.envelopes)
    return None


def _about(report: FoundReport, kind: Kind, reason: str) -> NotAReport:
    original = read_original(report, _receipt_fields(report))
    return NotAReport(kind=kind, reason=reason, envelopes=report.envelopes, original=original)


def _receipt_fields(report: FoundReport) -> Headers | None:
    """Return the original's Message-ID as a receipt states it (RFC 8098 section 3.2.5)."""
    part = report.leaf("message/disposition-notification")
    fields = read_headers(part.content[:MAX_HEADER_BLOCK].lstrip(b"\r\n"))[0] if part else None
    named = fields.first("original-message-id") if fields else None
    return Headers([("Message-ID", [named])]) if named else None


def find_sealed(report: FoundReport) -> Unreadable | None:
    """Return why an attached container cannot be opened (Microsoft's TNEF or .msg), None without one."""
    for part in report.leaves:
        name = (part.filename or "").lower()
        if part.content_type in _TNEF or name == "winmail.dat":
            return _sealed("winmail.dat, which only Outlook opens")
        if is_outlook_item(part) and as_mail(part.content) is None:
            return sealed_item()
    return None


def sealed_item() -> Unreadable:
    """Say that an Outlook item (.msg) is damaged, or that the extra that opens it is missing."""
    if is_readable():
        return _sealed("an Outlook item (.msg) that is damaged")
    return _sealed("an Outlook item (.msg), which we open with bounce-watch[msg] installed")


def _sealed(container: str) -> Unreadable:
    return Unreadable(reason=f"ask for it again as an attached mail (.eml): it came in {container}")


def _is_receipt(report: FoundReport) -> bool:
    if report.delivery_status is not None or sieve_reject.is_rejection(report):
        return False
    message, receipt = report.message, "disposition-notification"
    is_report = message.content_type == "multipart/report"
    is_declared = is_report and message.parameters.get("report-type", "").lower() == receipt
    return is_declared or report.leaf(f"message/{receipt}") is not None
