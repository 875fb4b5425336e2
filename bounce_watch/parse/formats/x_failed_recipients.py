"""X-Failed-Recipients (Exim, Gmail, Google Groups): the header that names whom the text does not."""

from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.plain_text import Entry, find_narrative, report_of
from bounce_watch.unwrap import FoundReport, addresses

NAME = "failed_recipients"


def read(report: FoundReport) -> ReportFields | None:
    named = tuple(a for value in report.headers.every("x-failed-recipients") for a in addresses(value))
    narrative = find_narrative(report) if named else None
    return report_of(narrative, [Entry(name, narrative.text) for name in named]) if narrative else None
