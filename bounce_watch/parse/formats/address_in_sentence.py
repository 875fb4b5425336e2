"""The address within a sentence: DragonFly, Demon, InterScan, MDaemon, and small gateways."""

import re
from itertools import islice

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.plain_text import ADDRESS, Entry, find_narrative, report_of
from bounce_watch.unwrap import FoundReport
from bounce_watch.unwrap.provenance import is_written_by_a_mail_system

NAME = "sentence"

_SENTENCE = re.compile(
    r"(?:deliver(?:ing|ed)?|deliver (?:your|the|this)|your|this|the|\ba|original(?:ly)?) ?(?:e-?mail|mail"
    r"|message|addressed)?"
    rf"[^\n@]{{0,30}}?\b(?:to|addressed to|for)\s{{1,4}}(?:user )?[<'\"]?({ADDRESS})[>'\"]?"
    rf"|(?:address|recipient|user),\s{{1,4}}<?({ADDRESS})>?,"
    rf"|(?:RCPT TO:|rejected recipient|quota violation for|Address:)\s{{0,4}}<?({ADDRESS})>?",
    re.IGNORECASE,
)
_TROUBLE = re.compile(
    r"error|fail|not (?:be |been )?(?:deliver|collect|reach)|could not|cannot|unable|reject|undeliver"
    r"|quota|no longer valid|problem|unknown|RCPT TO",
    re.IGNORECASE,
)
MAX_SENTENCES = 20


def read(report: FoundReport) -> ReportFields | None:
    if "@" not in report.text:
        return None
    narrative = find_narrative(report)
    if (
        narrative is None
        or not is_written_by_a_mail_system(report.headers)
        or not _TROUBLE.search(narrative.text)
    ):
        return None
    found = list(islice(_SENTENCE.finditer(narrative.text), MAX_SENTENCES))
    return report_of(narrative, [Entry(match[match.lastindex or 0], narrative.text) for match in found])
