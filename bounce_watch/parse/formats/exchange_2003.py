"""Exchange 5.5 to 2003: "Your message ... did not reach the following recipient(s):" and numbers."""

import re

from bounce_watch.model import RecipientFields
from bounce_watch.parse.fields import ReportFields, read_recipient
from bounce_watch.parse.plain_text import followed
from bounce_watch.unwrap import FoundReport, Headers, addresses

NAME = "exchange_2003"

_OPENING = re.compile(r"did not reach the following recipient\(s\):")
# `on Mon, 1 Jun 2026 16:51:51 -0500`; version 4 wrote `on 6/1/26 9:19:59 AM`.
_ENTRY = re.compile(
    r"^[ \t]{0,8}(\S[^\n]{0,320}?)[ \t]+on (?:[A-Z][a-z]{2},|\d{1,4}[./-]\d{1,2}[./-]\d)[^\n]{5,60}$",
    re.MULTILINE,
)
_DETAIL = re.compile(r"^[ \t]{1,20}(To|Subject|Sent):[ \t]{0,20}([^\n]{1,500})$", re.MULTILINE)
_SMTP_NAME = re.compile(r"SMTP[=:]([^\s;,()<>]{1,320}@[^\s;,()<>]{1,255})", re.IGNORECASE)


def read(report: FoundReport) -> ReportFields | None:
    text = report.text
    opening = _OPENING.search(text)
    if opening is None:
        return None
    details = dict(reversed(_DETAIL.findall(text[: opening.start()])))
    entries = tuple(_entries(text[opening.end() :], details.get("To")))
    returned = Headers([("Subject", [details["Subject"]])]) if "Subject" in details else None
    return ReportFields(recipients=entries, returned=returned) if entries else None


def _entries(section: str, addressed_to: str | None) -> list[RecipientFields]:
    """Read `address on date` and the lines up to the next one; a mere name stands for the To address."""
    entries = []
    for head, diagnostic in followed(list(_ENTRY.finditer(section)), section):
        smtp = _SMTP_NAME.search(head[1]) or _SMTP_NAME.search(diagnostic)
        named = (smtp[1],) if smtp else addresses(head[1], 1) or addresses(addressed_to, 1)
        if named:
            entries.append(read_recipient(final=named[0], diagnostic=diagnostic))
    return entries
