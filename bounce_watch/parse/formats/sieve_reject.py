"""Refusals of a Sieve script (RFC 5429 section 2.1.2): dressed as a receipt, but nothing was delivered."""

from bounce_watch.parse.fields import ReportFields, read_address, read_recipient
from bounce_watch.unwrap import FoundReport, read_headers
from bounce_watch.unwrap.mime.limits import MAX_HEADER_BLOCK

NAME = "sieve_reject"


def is_rejection(report: FoundReport) -> bool:
    """Tell a refusal from an ordinary receipt: Dovecot and Cyrus say so in Auto-Submitted."""
    return "rejected" in (report.headers.first("auto-submitted") or "").lower()


def read(report: FoundReport) -> ReportFields | None:
    part = report.leaf("message/disposition-notification")
    if part is None or not is_rejection(report):
        return None
    fields = read_headers(part.content[:MAX_HEADER_BLOCK].lstrip(b"\r\n"))[0]
    final = read_address(fields.first("final-recipient"))
    if final is None:
        return None
    entry = read_recipient(
        final=final,
        original=read_address(fields.first("original-recipient")),
        diagnostic=report.text.partition("rejected:")[2] or report.text,
    )
    return ReportFields(recipients=(entry,))
