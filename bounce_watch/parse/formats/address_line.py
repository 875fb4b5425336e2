"""An address alone on its line below an introduction: Exim, Gmail, Domino, Outlook.com, Mimecast."""

import re

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.plain_text import (
    ADDRESS,
    Entry,
    Narrative,
    entries_at,
    find_narrative,
    has_system_subject,
    heads_in,
    report_of,
    shows_delivery,
)
from bounce_watch.unwrap import FoundReport

NAME = "address_line"

_HEAD = re.compile(
    rf"^[ \t>]{{0,16}}(?:[*-]{{1,2}}[ \t]{{1,4}}|\"[^\n<>\":]{{1,80}}\"[ \t]{{1,4}}(?=<))?<?({ADDRESS})>?"
    r"(?=[ \t]{0,16}$|[ \t]{1,4}(?:\[|\(|\.\.\.|Error|unknown|- no such)[^\n]{0,500}$)"
    # Exim, when the address stands for a program, a file or a hidden address.
    rf"|^[ \t]{{1,16}}\(?generated (?:by|from) ({ADDRESS})(?=\)?[ \t]{{0,4}}$)",
    re.MULTILINE,
)
_TROUBLE = re.compile(
    r"error|fail|reject|undeliver|unable|not (?:be |been )?(?:deliver|reach|possible|found|exist)|could not"
    r"|cannot|unknown|returned|no such|inform you|sorry",
    re.IGNORECASE,
)
_ABOUT_A_REPLY = re.compile(r"^[ \t]{0,8}[245]\d\d[ -]", re.MULTILINE)
# Exim, when it writes to somebody else: `A message sent by <ada@example.com> could not be delivered`.
_SENT_BY = re.compile(r"\b(?:sent by|from|sender|sender is)[ \t:]{0,4}\s{0,8}$", re.IGNORECASE)


def read(report: FoundReport) -> ReportFields | None:
    narrative = find_narrative(report)
    if narrative is None or not (has_system_subject(report) or shows_delivery(report) or _tells(narrative)):
        return None
    found = heads_in(narrative.text, _HEAD)
    heads = [head for head in found if _is_recipient(head, narrative.text)]
    return report_of(narrative, _entries(heads, narrative)) if heads else None


def _tells(narrative: Narrative) -> bool:
    """Tell whether a system's words are about trouble; statistics list addresses too."""
    return _TROUBLE.search(narrative.text) is not None


def _is_recipient(head: re.Match[str], text: str) -> bool:
    """Tell a failed address from the sender's, and from the one that a failed address was expanded from."""
    start = head.start()
    if head[2]:
        above = text[text.rfind("\n", 0, max(start - 1, 0)) + 1 : start]
        return "@" not in above or " " in above.strip()
    return _SENT_BY.search(text, max(0, start - 60), start) is None


def _entries(heads: list[re.Match[str]], narrative: Narrative) -> list[Entry]:
    """Words stand below each address or below the last of several, else above the list (Notes)."""
    entries = entries_at(heads, narrative.text)
    above = narrative.text[: heads[0].start()]
    if _ABOUT_A_REPLY.search(above) and not any(_ABOUT_A_REPLY.search(entry.words) for entry in entries):
        return [Entry(entry.address, above) for entry in entries]
    said, words = above, []
    for entry in reversed(entries):
        said = entry.words if entry.words.strip() else said
        words.append(Entry(entry.address, said))
    return words[::-1]
