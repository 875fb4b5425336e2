"""`<user@example.com>: what happened`: Postfix, qmail and its children (Yahoo, X2, X4), OpenSMTPD, GMX."""

import re

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.plain_text import ADDRESS, entries_at, find_narrative, heads_in, report_of
from bounce_watch.unwrap import FoundReport

NAME = "address_colon"

_HEAD = re.compile(
    # Exim: `lee@a.example <mei@b.example>: malformed address`.
    r"^[ \t]{0,4}(?:[^\s<>:@]{1,64}@[^\s<>:]{1,255} (?=<))?"
    rf"[<\"']?({ADDRESS})[>\"']?(?:[ \t]{{1,4}}\([^()\n]{{1,320}}\))?[ \t]{{0,2}}:(?=\s|$)",
    re.MULTILINE,
)


def read(report: FoundReport) -> ReportFields | None:
    if ":" not in report.text:
        return None
    narrative = find_narrative(report)
    if narrative is None:
        return None
    heads = heads_in(narrative.text, _HEAD)
    return report_of(narrative, entries_at(heads, narrative.text)) if heads else None
