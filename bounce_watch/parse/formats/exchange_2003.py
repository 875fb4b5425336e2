"""Exchange 5.5 to 2003, and Outlook's own view of any delivery status.

`Your message did not reach the following recipient(s):`, then for each an address and a time, words, and
`<host #5.2.2>` or `<host #5.5.0 smtp;554 ...>`. With such a code it is read in any language.
"""

import re
from dataclasses import replace

from bounce_watch.model import Action, RecipientFields
from bounce_watch.parse.fields import ReportFields, read_recipient
from bounce_watch.parse.formats._exchange import action_of
from bounce_watch.parse.plain_text import followed
from bounce_watch.unwrap import FoundReport, Headers, addresses

NAME = "exchange_2003"

_OPENING = re.compile(r"did not reach the following recipient\(s\):")
# `on Mon, 1 Jun 2026 16:51:51 -0500`; version 4 wrote `on 6/1/26 9:19:59 AM`.
_ENTRY = re.compile(
    r"^[ \t]{0,8}(\S[^\n]{0,320}?)[ \t]+(?:on|[^\W\d_]{1,6}) "
    r"(?:[A-Z][a-z]{2},|\d{1,4}[./-] ?\d{1,2}[./-] ?\d)[^\n]{5,60}$",
    re.MULTILINE,
)
_HASH = re.compile(r"<[^<>\n#]{0,255}#[245]\.\d{1,3}\.\d{1,3}[ >]")
_DETAIL = re.compile(r"^[ \t]{1,20}(To|Subject|Sent):[ \t]{0,20}([^\n]{1,500})$", re.MULTILINE)
MAX_DETAILS = 2000
_SMTP_NAME = re.compile(r"SMTP[=:]([^\s;,()<>]{1,320}@[^\s;,()<>]{1,255})", re.IGNORECASE)


def read(report: FoundReport) -> ReportFields | None:
    text = report.text
    if "#" not in text and "(s):" not in text:
        return None
    opening = _OPENING.search(text)
    if opening is None and _HASH.search(text) is None:
        return None
    start = opening.end() if opening else 0
    details = dict(reversed(_DETAIL.findall(text[: opening.start() if opening else MAX_DETAILS])))
    action = Action.FAILED if opening else action_of(text)
    found = _entries(text[start:], details.get("To"), coded=opening is None)
    entries = tuple(replace(entry, action=action) for entry in found)
    returned = Headers([("Subject", [details["Subject"]])]) if "Subject" in details else None
    return ReportFields(recipients=entries, returned=returned) if entries else None


def _entries(section: str, addressed_to: str | None, *, coded: bool) -> list[RecipientFields]:
    """Read `address on date` and the lines up to the next one; a mere name stands for the To address.

    If `coded`, only entries with a code below them count.
    """
    entries = []
    for head, diagnostic in followed(list(_ENTRY.finditer(section)), section):
        if coded and _HASH.search(diagnostic) is None:
            continue
        smtp = _SMTP_NAME.search(head[1]) or _SMTP_NAME.search(diagnostic)
        named = (smtp[1],) if smtp else addresses(head[1], 1) or addresses(addressed_to, 1)
        if named:
            entries.append(read_recipient(final=named[0], diagnostic=diagnostic))
    return entries
