"""`Label: user@example.com`: IMail, MailFoundry, KDDI, PMDF and Sun, LSMTP, and gateways of many makes."""

import re

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.plain_text import ADDRESS, Entry, entries_at, find_narrative, heads_in, report_of
from bounce_watch.unwrap import FoundReport

NAME = "labelled"

_LABEL = (
    r"(?:[^\n:@]{0,60}(?:unknown|invalid|undeliver|not delivered|deliver|fail|reject|full|exceed"
    r"|quota|recipient"
    r"|could not|cannot|unable|error|for|reach|addressed|disabled|inactive)[^\n:@]{0,60}?(?::|\bto\b:?))"
)
_HEAD = re.compile(
    rf"^[ \t>*-]{{0,8}}{_LABEL}[ \t]{{0,8}}<?\"?({ADDRESS})\"?>?[ \t.]{{0,4}}$", re.MULTILINE | re.IGNORECASE
)
_NOBODY = re.compile(r"sender|from:|contact|postmaster|reply|help|support", re.IGNORECASE)


def read(report: FoundReport) -> ReportFields | None:
    if "@" not in report.text:
        return None
    narrative = find_narrative(report)
    if narrative is None:
        return None
    heads = [
        head for head in heads_in(narrative.text, _HEAD) if not _NOBODY.search(head[0].partition(head[1])[0])
    ]
    if not heads:
        return None
    words = entries_at(heads, narrative.text)
    # The label itself says what is wrong: `Invalid final delivery userid: ...`.
    entries = [Entry(head[1], f"{head[0]}\n{entry.words}") for head, entry in zip(heads, words, strict=True)]
    return report_of(narrative, entries)
