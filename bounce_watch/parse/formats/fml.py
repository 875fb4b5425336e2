"""fml, a mailing list server: a post that the list refuses, with the list's address in angle brackets."""

import re

from bounce_watch.model import Action
from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.plain_text import ADDRESS, Entry, Narrative, report_of, split_returned
from bounce_watch.unwrap import FoundReport

NAME = "fml"

_LIST = re.compile(rf"<({ADDRESS})>")


def read(report: FoundReport) -> ReportFields | None:
    if "x-mlserver" not in report.headers or "-admin@" not in (report.headers.first("from") or ""):
        return None
    own, marker, rest = report.text.partition("Original mail as follows:")
    named = _LIST.search(own)
    if not marker or named is None:
        return None
    returned = split_returned(f"Original message follows\n{rest}")[1]
    narrative = Narrative(text=own, returned=returned, action=Action.FAILED)
    return report_of(narrative, [Entry(named[1], own)])
