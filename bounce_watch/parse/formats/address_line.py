"""An address alone on its line below an introduction: Exim, Gmail, Domino, Outlook.com, Mimecast."""

import re
from itertools import islice

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.narrative import ADDRESS, Entry, Narrative, entries_at, find_narrative, report_of
from bounce_watch.unwrap import Wrapped
from bounce_watch.unwrap.limits import MAX_RECIPIENTS

NAME = "address_line"

_HEAD = re.compile(
    rf"^[ \t>]{{0,16}}(?:[*-]{{1,2}}[ \t]{{1,4}}|\"[^\n<>\":]{{1,80}}\"[ \t]{{1,4}}(?=<))?<?({ADDRESS})>?"
    r"(?=[ \t]{0,16}$|[ \t]{1,4}(?:\[|\(|\.\.\.|Error|unknown|- no such)[^\n]{0,500}$)",
    re.MULTILINE,
)
_ABOUT_A_REPLY = re.compile(r"^[ \t]{0,8}[245]\d\d[ -]", re.MULTILINE)


def read(wrapped: Wrapped) -> ReportFields | None:
    narrative = find_narrative(wrapped)
    if narrative is None:
        return None
    heads = list(islice(_HEAD.finditer(narrative.text), MAX_RECIPIENTS))
    return report_of(narrative, _entries(heads, narrative)) if heads else None


def _entries(heads: list[re.Match[str]], narrative: Narrative) -> list[Entry]:
    """Words stand below each address, or, with nothing below, above the list (MailMarshal, Notes)."""
    entries = entries_at(heads, narrative.text)
    above = narrative.text[: heads[0].start()]
    if _ABOUT_A_REPLY.search(above) and not any(_ABOUT_A_REPLY.search(entry.words) for entry in entries):
        return [Entry(entry.address, above) for entry in entries]
    return [entry if entry.words.strip() else Entry(entry.address, above) for entry in entries]
