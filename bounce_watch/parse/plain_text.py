"""Reports written as text for people: is it one, where does the returned message begin, what happened.

Their wording differs, but their shapes are few. The formats that use this module are named after a shape.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from bounce_watch.model import Action, RecipientFields
from bounce_watch.model.address import normalise
from bounce_watch.parse.fields import ReportFields, read_recipient
from bounce_watch.unwrap import FoundReport, Headers, read_headers
from bounce_watch.unwrap.fast_patterns import LineStartPattern
from bounce_watch.unwrap.mime.limits import MAX_RECIPIENTS
from bounce_watch.unwrap.provenance import has_system_name, is_written_by_a_mail_system

# An apostrophe, `|` or `*` counts only between letters (O'Neil): texts also put them around addresses.
ADDRESS = (
    r"[^\s<>()\[\]:;,\"'|*]{1,320}(?:(?<=\w)['|*](?=\w)[^\s<>()\[\]:;,\"'|*]{1,320}){0,2}"
    r"@[^\s<>()\[\]:;,\"'|*]{0,254}[^\s<>()\[\]:;,\"'|*.]"
)

_RETURNED = LineStartPattern(
    r"[ \t>|]{0,8}(?:"
    r"[-=_*|]{2,80}[ \t]{0,8}(?:(?:start of )?(?:the )?(?:returned|original|unsent"
    r"|undelivered) (?:message|mail)"
    r"|below (?:this|the next) line|(?:this is a |here is a )?copy of (?:the|your)|message (?:header"
    r"|text|body)s? "
    r"|the headers? (?:of|and)|the body of|returned message|unsent message)"
    r"|below is a copy of|original message (?:follows|text)|message headers follow|here is a copy of"
    r"|a copy of the original message|your message reads|a summary of the undelivered message|old message:"
    r"|the (?:header|first)[^\n]{1,40}(?:original|of the|your) message|original message:"
    r")[^\n]{0,120}$",
    re.IGNORECASE,
)
_HEADER_BLOCK = LineStartPattern(
    r"[ \t>|]{0,8}(?:Received|Return-Path|DKIM-Signature|X-Originating-IP|X-Google-Smtp-Source"
    r"|X-Received)[ \t]?:",
    re.IGNORECASE,
)
_FIELD = re.compile(r"[ \t>|]{0,8}[A-Za-z][\w-]{1,60}[ \t]?:")
_MARGIN = re.compile(r"[ \t>|]{1,8}")
# Searched in lower-case text: many plain searches are faster than one pattern of many branches.
_DELAYED = (
    "not yet been delivered",
    "has been delayed",
    "is delayed",
    "delayed mail",
    "still being retried",
    "will be retried",
    "will keep trying",
    "delivery attempts will continue",
    "continue to be made",
    "continue to try",
    "warning message only",
    "this is a warning only",
    "do not need to resend",
    "message delayed",
    "still trying",
    "could not send mail for past",
    "could not send message for past",
    "delivery delayed",
    "will be delayed",
    "status notification (delay)",
    "no action is required on your part",
)
_DELAYED_SUBJECT = re.compile(r"warning: message [^\n]{0,80} delayed", re.IGNORECASE)
_GIVEN_UP = re.compile(
    r"permanent(?:ly)? (?:fatal )?(?:error|fail)|given up|giving up|final(?:ly)? fail", re.IGNORECASE
)
_SYSTEM_SUBJECT = re.compile(
    r"\s{0,5}(?:\[postmaster\][ ])?(?:undeliver(?:able|ed)|non-?deliver|delayed mail|mail failed"
    r"|delivery (?:status notification|fail|notification|has failed|error|problem|report)"
    r"|mail delivery (?:fail|error|system)|returned (?:mail|to sender)|mail (?:system error|could not be)"
    r"|failure (?:notice|delivery)|permanent delivery failure|automatically rejected mail"
    r"|message (?:undeliverable|delivery|could not be delivered)|warning: message"
    r"|your message to [^\n]{1,200} could not be delivered"
    r"|メールエラー|メッセージを配信できません)",
    re.IGNORECASE,
)
_CODE = re.compile(r"\b[45]\d\d[ -]#?[45]\.\d{1,3}\.\d|\b[45][0-5]\d[ -][A-Za-z<]|\b[45]\.\d\.\d{1,2}\b")
# Microsoft's SMTPSVC writes it above a copy of the original's header fields, including those of lists.
_BANNER = "non-delivery report"
# Fields of replies, mailing lists, newsletters and mail programs.
_WRITTEN_BY_PEOPLE = (
    "in-reply-to", "list-id", "list-unsubscribe", "list-post", "feedback-id", "user-agent",
)  # fmt: skip


class Narrative(NamedTuple):
    """The report's own words, and the headers of the returned message if the text holds them."""

    text: str
    returned: Headers | None
    action: Action


class Entry(NamedTuple):
    """One recipient with the words about it."""

    address: str
    words: str


@lru_cache(1)  # each format asks about the same report
def find_narrative(report: FoundReport) -> Narrative | None:
    """Return a report's words, None if no mail system wrote it."""
    if not is_by_a_mail_system(report):
        return None
    text, returned = split_returned(report.text)
    subject = report.headers.first("subject") or ""
    late = _tells_of_delay(subject, text[:6000])
    return Narrative(text=text, returned=returned, action=Action.DELAYED if late else Action.FAILED)


def _tells_of_delay(subject: str, text: str) -> bool:
    lowered = f"{subject}\n{text}".lower()
    late = any(phrase in lowered for phrase in _DELAYED) or _DELAYED_SUBJECT.match(subject) is not None
    return late and _GIVEN_UP.search(text) is None


def is_by_a_mail_system(report: FoundReport) -> bool:
    """Tell whether a mail system wrote a message, by its author or by a subject that no person wrote."""
    headers = report.headers
    if "x-failed-recipients" in headers or is_written_by_a_mail_system(headers):
        return True
    if report.delivery_status is not None or report.text[:100].lstrip("- \n").lower().startswith(_BANNER):
        return True
    if report.inline is not None:
        return has_system_name(headers) and has_system_subject(report)
    if not has_system_subject(report) or any(name in headers for name in _WRITTEN_BY_PEOPLE):
        return False
    return shows_delivery(report)


def shows_delivery(report: FoundReport) -> bool:
    """Tell whether a message holds a returned message, a code, or words about a delay."""
    text = report.text
    if report.returned is not None or _CODE.search(text) or split_returned(text)[0] != text:
        return True
    return _tells_of_delay("", text[:6000])


def has_system_subject(report: FoundReport) -> bool:
    """Tell whether mail systems write such a subject for a failure or a delay."""
    return _SYSTEM_SUBJECT.match(report.headers.first("subject") or "") is not None


def split_returned(text: str) -> tuple[str, Headers | None]:
    """Split a text at the returned message; the headers are None if they cannot be read."""
    marker = _RETURNED.search(text)
    block = _HEADER_BLOCK.search(text)
    if marker and (block is None or marker.start() <= block.start()):
        start, rest = marker.start(), text[marker.end() :]
    elif block:
        start, rest = block.start(), text[block.start() :]
    else:
        return text, None
    return text[:start], _headers_at_start(rest)


def _headers_at_start(text: str) -> Headers | None:
    lines = text.lstrip("\n \t-=_*|").split("\n")[:400]
    start = next((number for number, line in enumerate(lines) if _FIELD.match(line)), None)
    if start is None:
        return None
    block = "\n".join(unindented(lines[start:]))
    headers = read_headers(block.encode("utf-8", "replace"))[0]
    known = ("from", "to", "subject", "message-id", "return-path", "date")
    return headers if any(name in headers for name in known) else None


def unindented(lines: list[str]) -> list[str]:
    """Remove the indent or quotation marks of the first line from all lines, so that folded lines show."""
    margin = _MARGIN.match(lines[0])
    prefix = margin[0] if margin else ""
    return [line.removeprefix(prefix) for line in lines] if prefix else lines


def report_of(
    narrative: Narrative, entries: list[Entry], reporting_mta: str | None = None
) -> ReportFields | None:
    """Build the fields of a report in plain words, None if it names no address."""
    recipients: dict[str, RecipientFields] = {}
    for entry in entries[:MAX_RECIPIENTS]:
        address = normalise(entry.address)
        recipients.setdefault(
            address.lower(), read_recipient(final=address, action=narrative.action, diagnostic=entry.words)
        )
    if not recipients:
        return None
    return ReportFields(
        recipients=tuple(recipients.values()), returned=narrative.returned, reporting_mta=reporting_mta
    )


def heads_in(text: str, head: re.Pattern[str]) -> list[re.Match[str]]:
    """Return the lines that a pattern with an address matches, at most 500.

    Only lines with an @ are tried, because such patterns are slow on all other lines.
    """
    heads: list[re.Match[str]] = []
    at = text.find("@")
    while at >= 0 and len(heads) < MAX_RECIPIENTS:
        if found := head.match(text, text.rfind("\n", 0, at) + 1):
            heads.append(found)
        end = text.find("\n", at)
        at = text.find("@", end) if end >= 0 else -1
    return heads


def entries_at(heads: list[re.Match[str]], text: str) -> list[Entry]:
    """Return an entry for each head, whose matched group is the address, with the words behind it."""
    return [Entry(head[head.lastindex or 0], words) for head, words in followed(heads, text)]


def followed(heads: list[re.Match[str]], text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield each head with the text up to the next one."""
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return ((head, text[head.end() : end]) for head, end in zip(heads, ends, strict=False))
