"""A system's report that names nobody but returns a mail to one recipient: that one was not reached."""

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.plain_text import Entry, find_narrative, has_system_subject, report_of
from bounce_watch.unwrap import FoundReport, addresses

NAME = "returned_to"


def read(report: FoundReport) -> ReportFields | None:
    narrative = find_narrative(report) if has_system_subject(report) else None
    if narrative is None:
        return None
    returned = report.returned_headers or narrative.returned
    if returned and "multipart/report" in (returned.first("content-type") or "").lower():
        return None  # a report about a report: its To is the sender of what bounced first
    to = addresses(returned.first("to"), 2) if returned else ()
    if len(to) != 1 or (returned and "cc" in returned):
        return None
    return report_of(narrative, [Entry(to[0], narrative.text)])
