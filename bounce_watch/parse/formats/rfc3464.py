"""Delivery status notifications (RFC 3464, RFC 6533): a linear reader of the part's own lines.

Mail systems misplace groups, fields and blank lines, so a group counts by what it holds, never by its index.
"""

import re

from bounce_watch.model import Action, RecipientFields
from bounce_watch.parse.dates import read_date
from bounce_watch.parse.fields import ReportFields, read_address, read_recipient
from bounce_watch.parse.plain_text import split_returned
from bounce_watch.parse.smtp_reply import MAX_TEXT as MAX_REPLY
from bounce_watch.unwrap import FoundReport, Headers, Part, addresses
from bounce_watch.unwrap.mime.limits import MAX_RECIPIENTS, MAX_TEXT
from bounce_watch.unwrap.mime.text import decode, one_line

NAME = "rfc3464"

Group = dict[str, str]

_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9_-]{1,60})[ \t]{0,20}:(.*)", re.DOTALL)
_ACTIONS = {
    "failed": Action.FAILED, "failure": Action.FAILED, "fail": Action.FAILED, "error": Action.FAILED,
    "bounced": Action.FAILED, "delayed": Action.DELAYED, "deferred": Action.DELAYED, "delay": Action.DELAYED,
    "delivered": Action.DELIVERED, "relayed": Action.RELAYED, "expanded": Action.EXPANDED,
}  # fmt: skip
_SUPPLEMENT = re.compile(r"\s{0,8}<?([^\s#<>]{1,255}) #[245][.\d]{4,9} (?:smtp;)?(.{1,4000})", re.DOTALL)
_RECIPIENTS = ("final-recipient", "original-recipient", "x-actual-recipient")
_MARKS = ("action", *_RECIPIENTS)
_STATED = ("reporting-mta", "arrival-date", *_MARKS, "status", "remote-mta", "diagnostic-code")
_ADDRESS_TYPE = re.compile(r"[\w/.+-]{1,20}\s*;\s*")


def read(report: FoundReport) -> ReportFields | None:
    text = "\n\n".join(filter(None, map(_text_of, report.delivery_statuses))) or _stated_in(report.headers)
    if not text:
        return None
    # A broken boundary leaves the returned mail in this part.
    text, returned = (text, None) if report.returned else split_returned(text)
    nameless = addresses(report.headers.first("x-failed-recipients"), 2)
    return read_fields(text, returned, nameless[0] if len(nameless) == 1 else None)


def _text_of(part: Part) -> str:
    """Return the fields of one part. Without the blank line above them they are headers of the part."""
    content = part.content[: 8 * MAX_TEXT]
    # Domino writes the words of its directory in the charset of the organization.
    text = decode(content, "iso-2022-jp" if b"\x1b$" in content else None)
    stated = _stated_in(part.headers)
    return f"{stated}\n\n{text}" if stated else text


def _stated_in(headers: Headers) -> str:
    """Return the fields of a delivery status that stand among headers, where relays put them."""
    if not any(name in headers for name in _RECIPIENTS):
        return ""
    named = ((name, headers.line(name, MAX_REPLY)) for name in headers.among(_STATED))
    return "\n".join(f"{name}: {value}" for name, value in named)


def read_fields(
    text: str, returned: Headers | None = None, only_recipient: str | None = None
) -> ReportFields | None:
    """Read the fields of a whole delivery status, None when they name no recipient.

    `only_recipient` stands in for a Final-Recipient that is a file or a program (Exim).
    """
    per_message: Group = {}
    entries: list[RecipientFields] = []
    for group in read_groups(text):
        if any(mark in group for mark in _MARKS):
            reporter = _host(per_message.get("reporting-mta") or group.get("reporting-mta"))
            entries.append(_entry(group, only_recipient, reporter))
        per_message = {**group, **per_message}
    named = tuple(entry for entry in entries if entry.final_recipient)[:MAX_RECIPIENTS]
    return _fields(per_message, named, returned) if named else None


def read_groups(text: str) -> list[Group]:
    """Read groups of fields: blank lines part them, and so does a Final-Recipient that comes again."""
    groups: list[Group] = [{}]
    name = ""
    for line in text.replace("\r", "").split("\n"):
        group = groups[-1]
        if not line.strip():
            name = ""
            if group:
                groups.append({})
        elif line[0] not in " \t" and (match := _FIELD.fullmatch(line)):
            name = match[1].lower()
            if name == "final-recipient" and name in group:
                group = {}
                groups.append(group)
            group.setdefault(name, match[2].strip())
        elif name:
            group[name] = f"{group[name][:4000]} {line.strip()}"
    return _rejoined([group for group in groups if group])


def _rejoined(groups: list[Group]) -> list[Group]:
    """Join a group that names a recipient with the next one that has only its action and status."""
    joined: list[Group] = []
    for group in groups:
        before = joined[-1] if joined else {}
        names_nobody = not any(name in group for name in _RECIPIENTS)
        if names_nobody and ("action" in group or "status" in group) and _lacks_outcome(before):
            before.update(group)
        else:
            joined.append(group)
    return joined


def _lacks_outcome(group: Group) -> bool:
    return any(name in group for name in _RECIPIENTS) and "action" not in group and "status" not in group


def _entry(group: Group, only_recipient: str | None, reporter: str | None) -> RecipientFields:
    final = read_address(group.get("final-recipient"))
    original = read_address(group.get("original-recipient"))
    if final and original and _is_inside(final.rpartition("@")[2], reporter):
        final = original
    status = group.get("status")
    host, words = _supplement(group.get("x-supplementary-info"))
    return read_recipient(
        final=final or original or read_address(group.get("x-actual-recipient")) or only_recipient,
        original=original,
        action=_action(group, status),
        status=status,
        diagnostic=_untyped(group.get("diagnostic-code")) or words,
        remote_mta=_host(group.get("remote-mta")) or host,
        last_attempt_date=read_date(group.get("last-attempt-date")),
        will_retry_until=read_date(group.get("will-retry-until")),
    )


def _supplement(value: str | None) -> tuple[str | None, str | None]:
    """Return the server and its words in Exchange 2007's `<mx.example.org #5.1.1 smtp;550-5.1.1 ...>`."""
    match = _SUPPLEMENT.match(value) if value else None
    return (match[1], match[2].strip().removesuffix(">")) if match else (None, None)


def _is_inside(domain: str, reporter: str | None) -> bool:
    """Tell a name of the reporter's inside (`user@store-7`, an account on its own host).

    The sender knows the original address, and only that one.
    """
    return "." not in domain or domain.lower() == (reporter or "").lower()


def _action(group: Group, status: str | None) -> Action:
    """Return the action; where it is missing or garbled the class of the status decides."""
    word = re.match(r"\s*([A-Za-z]*)", group.get("action", ""))
    known = _ACTIONS.get(word[1].lower()) if word else None
    if known is not None:
        return known
    return Action.DELIVERED if (status or "").strip().startswith("2") else Action.FAILED


def _untyped(value: str | None) -> str | None:
    """Return a typed field's value without its type (`smtp; 550 ...`), None when it is empty."""
    if not value:
        return None
    match = _ADDRESS_TYPE.match(value)
    return (value[match.end() :] if match else value).strip() or None


def _host(value: str | None) -> str | None:
    host = _untyped(value)
    return one_line(host, 255) or None if host else None


def _fields(group: Group, recipients: tuple[RecipientFields, ...], returned: Headers | None) -> ReportFields:
    sender = read_address(group.get("x-postfix-sender"))
    return ReportFields(
        returned=returned or (Headers([("Return-Path", [sender])]) if sender else None),
        recipients=recipients,
        reporting_mta=_host(group.get("reporting-mta")),
        received_from_mta=_host(group.get("received-from-mta")),
        arrival_date=read_date(group.get("arrival-date")),
        original_envelope_id=one_line(group.get("original-envelope-id", ""), 255) or None,
    )
