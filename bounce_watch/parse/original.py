"""Find the message that a report is about. The sources are used in this order:

1. the returned headers (message/rfc822, text/rfc822-headers, or a copy in the report's text),
2. the fields that a format found in the body (Exchange's Original Message Details and Headers),
3. In-Reply-To or References for the Message-ID; for the sender the journal's recipient, the report's
   To, then the member who forwarded it.
"""

import re

from bounce_watch.model import OriginalMessage
from bounce_watch.model.address import is_deliverable
from bounce_watch.parse.dates import read_date
from bounce_watch.unwrap import FoundReport, Headers, addresses
from bounce_watch.unwrap.journal import is_journal
from bounce_watch.unwrap.mime.limits import header_end
from bounce_watch.unwrap.mime.text import one_line
from bounce_watch.unwrap.provenance import OWN_MARK, is_robot, marks_in, provenance_of

MAX_ORIGINAL_RECIPIENTS = 100
MAX_SIGNED = 32 * 1024

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,400}>")
_BARE_ID = re.compile(r"\s{0,8}<?([^<>\s,;@]{1,200}@[^<>\s,;@]{1,200}|[^<>\s,;@]{12,200})>?\s{0,8}")
_ID_IN_TEXT = re.compile(
    r"\bMessage(?<=[\s>|\"'(]Message)[- ]?ID\s{0,4}[:=]\s{0,8}<?([^<>\s@]{1,250}@[^<>\s@,;)]{1,200})",
    re.IGNORECASE,
)
_LIST_FIELDS = (
    "list-id", "list-help", "list-subscribe", "list-unsubscribe", "list-post", "list-owner", "list-archive",
    "x-loop", "feedback-id", "x-autoreply", "x-autorespond",
)  # fmt: skip
_SUPPRESSED = re.compile(r"\b(?:all|oof|autoreply|dr|rn|nrn)\b", re.IGNORECASE)


def read_original(report: FoundReport, found: Headers | None) -> OriginalMessage:
    """Join what is known of the original message; `found` are headers that a format read from the text."""
    sources = tuple([headers for headers in (report.returned_headers, found) if headers])
    dates = (read_date(headers.first("date")) for headers in sources)
    return OriginalMessage(
        message_id=_message_id(sources, report),
        sender=_sender(sources, report),
        subject=next(filter(None, (headers.line("subject", 500) for headers in sources)), None),
        date=next((date for date in dates if date), None),
        recipients=next(filter(None, map(_recipients, sources)), ()),
        automatic=tuple(dict.fromkeys(name for headers in sources for name in automatic_fields(headers))),
        signed_headers=_signed_headers(report),
        provenance=provenance_of(sources[0]) if sources else None,
        own_marks=(
            *(one_line(mark, 200) for headers in sources for mark in headers.every(OWN_MARK)[:10]),
            *marks_in(report.text),
        ),
    )


def _signed_headers(report: FoundReport) -> str | None:
    """Return the returned header block as it was signed, None without a signature or if it is too long."""
    headers, part = report.returned_headers, report.returned
    if headers is None or part is None or "dkim-signature" not in headers:
        return None
    block = part.content[: MAX_SIGNED + 1].lstrip(b"\r\n")
    block = block[: header_end(block)]
    return block.decode("latin-1") if len(block) <= MAX_SIGNED else None


def automatic_fields(headers: Headers) -> tuple[str, ...]:
    """Return the fields that mark a message as written by a machine (RFC 3834 section 5, RFC 2369)."""
    names = headers.among(_LIST_FIELDS)
    if is_journal(headers):
        names.append("x-ms-journal-report")  # admins take care of undeliverable journal mail
    submitted = (headers.first("auto-submitted") or "no").split(";")[0].split()
    if submitted and submitted[0].lower() != "no":
        names.append("auto-submitted")
    if (headers.first("precedence") or "").strip().lower() in ("bulk", "junk", "list"):
        names.append("precedence")
    if _SUPPRESSED.search(headers.first("x-auto-response-suppress") or ""):
        names.append("x-auto-response-suppress")
    return tuple(names)


def message_id_of(headers: Headers, *names: str) -> str | None:
    """Return the first Message-ID found in these fields, in angle brackets."""
    for name in names:
        if match := _MESSAGE_ID.search((headers.first(name) or "")[:2000]):
            return one_line(match[0], 400)
    return None


def _message_id(sources: tuple[Headers, ...], report: FoundReport) -> str | None:
    returned = (message_id_of(one, "message-id") or _bare_id(one.first("message-id")) for one in sources)
    return next(filter(None, returned), None) or _answered_id(report.headers) or _id_in_text(report.text)


def _answered_id(headers: Headers) -> str | None:
    """Return the Message-ID that a report answers; References ends with it."""
    if answered := message_id_of(headers, "in-reply-to") or _bare_id(headers.first("in-reply-to")):
        return answered
    thread = _MESSAGE_ID.findall((headers.first("references") or "")[-2000:])
    return one_line(thread[-1], 400) if thread else None


def _bare_id(value: str | None) -> str | None:
    """Return a Message-ID written without its angle brackets."""
    match = _BARE_ID.fullmatch(value or "")
    return f"<{one_line(match[1], 400)}>" if match else None


def _id_in_text(text: str) -> str | None:
    match = _ID_IN_TEXT.search(text[:MAX_SIGNED]) if "essage" in text else None
    return f"<{one_line(match[1], 400)}>" if match else None


def _sender(sources: tuple[Headers, ...], report: FoundReport) -> str | None:
    for headers in sources:
        if sender := sender_of(headers):
            return sender
    journal = next(iter(report.recipients), None)
    return journal or report.headers.address("to") or report.forwarded_by


def sender_of(headers: Headers) -> str | None:
    """Return the Return-Path if it is a plain address, else the author, else a system's bare name."""
    path = headers.address("return-path")
    if path and is_deliverable(path):
        return path
    names = ("from", "sender", "reply-to", "x-envelope-from", "x-envelope-sender")
    found = next(filter(None, (headers.address(name) for name in names)), None)
    return found or ("MAILER-DAEMON" if is_robot(headers.line("from")) else None)


def _recipients(headers: Headers) -> tuple[str, ...]:
    values = (value for name in ("to", "cc", "bcc") for value in headers.every(name))
    found = (address for value in values for address in addresses(value, MAX_ORIGINAL_RECIPIENTS))
    return tuple(dict.fromkeys(found))[:MAX_ORIGINAL_RECIPIENTS]
