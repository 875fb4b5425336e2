"""RFC 3464 fields that stand in the text: parts that lost their type, Amazon WorkMail, relayed reports."""

import re

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.formats.rfc3464 import read_fields
from bounce_watch.parse.narrative import is_by_a_mail_system
from bounce_watch.parse.plain_text import split_returned
from bounce_watch.unwrap import FoundReport
from bounce_watch.unwrap.fast_patterns import LineStartPattern

NAME = "fields_in_text"

_FIRST_FIELD = LineStartPattern(
    r"[ \t]{0,8}(?:Reporting-MTA|Original-Recipient|Final-Recipient|Action)[ \t]{0,4}:",
    re.IGNORECASE,
)


def read(report: FoundReport) -> ReportFields | None:
    text = report.text
    if "inal-" not in text and "INAL-" not in text:
        return None
    start = _FIRST_FIELD.search(text)
    if start is None or not is_by_a_mail_system(report):
        return None
    fields, returned = split_returned(text[start.start() :])
    found = read_fields("\n".join(line.strip("\r") for line in fields.split("\n")))
    return found._replace(returned=returned) if found else None
