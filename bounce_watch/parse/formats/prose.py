"""Any other report in plain words, whatever system wrote it and in whatever language.

Who wrote it, which address it speaks of, what it says of that address, where the returned mail begins.
"""

import re

from bounce_watch.model import Action
from bounce_watch.parse.delivery_claims import MAX_TEXT, says_delivery_failed, says_failed
from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.mentions import about, find_meant, find_mentions
from bounce_watch.parse.narrative import (
    has_system_author,
    is_by_a_mail_system,
    narrative_of,
    seems_by_a_mail_system,
    tells_of_failure,
)
from bounce_watch.parse.plain_text import Entry, Narrative, report_of
from bounce_watch.parse.smtp_reply import find_codes
from bounce_watch.parse.words_about import with_words
from bounce_watch.unwrap import FoundReport, Headers, addresses

NAME = "prose"

_INTRODUCTION = re.compile(r":[ \t]*\n(?:[ \t]*\n)?((?:[ \t]{1,20}[\w.+'-]{2,40}[ \t]*(?:\n|\Z)){1,100})")


def read(report: FoundReport) -> ReportFields | None:
    by_a_system = has_system_author(report) or seems_by_a_mail_system(report)
    if not by_a_system and not is_by_a_mail_system(report):
        return None
    narrative = narrative_of(report)
    if narrative.action is not Action.DELAYED and not _reports_failure(report, narrative):
        return None
    return report_of(narrative, _entries(report, narrative, in_sentences=by_a_system))


def _reports_failure(report: FoundReport, narrative: Narrative) -> bool:
    """Tell whether a report speaks of a failed delivery; words of any trouble need another sign."""
    text = f"{report.headers.first('subject') or ''}\n{narrative.text[:MAX_TEXT]}"
    if says_delivery_failed(text) or any(find_codes(text)):
        return True
    signs = (narrative.returned or report.returned) is not None or tells_of_failure(report)
    return signs and says_failed(text)


def _entries(report: FoundReport, narrative: Narrative, *, in_sentences: bool) -> list[Entry]:
    """Return whom a report is about; if a person may have written it, only what stands out counts."""
    text = narrative.text if has_system_author(report) else _without_quotes(narrative.text)
    returned = report.returned_headers or narrative.returned
    reached = _recipients_of(returned) if returned else []
    failed = [
        address for value in report.headers.every("x-failed-recipients") for address in addresses(value)
    ]
    recipients = frozenset(address.lower() for address in (*failed, *reached))
    others = _others(report, returned) - recipients
    found = about(text, others, recipients, in_sentences=in_sentences)
    if found:
        return with_words(found, text)
    names = failed or _in_subject(report, others) or _screen_names(report, text)
    if not names and tells_of_failure(report):
        names = reached if len(reached) == 1 else _only_one(text, others) if in_sentences else []
    return [Entry(name, text) for name in names]


def _recipients_of(returned: Headers) -> list[str]:
    if "multipart/report" in (returned.first("content-type") or "").lower():
        return []  # a report about a report: its To is the sender of what bounced first
    values = (value for name in ("to", "cc", "bcc") for value in returned.every(name))
    return [address for value in values for address in addresses(value)]


def _others(report: FoundReport, returned: Headers | None) -> frozenset[str]:
    """Return the addresses of the sender, the reporter and the forwarder."""
    fields = [report.headers.address(name) for name in ("from", "to", "return-path", "reply-to", "sender")]
    sent = [returned.address(name) for name in ("from", "return-path", "sender")] if returned else []
    known = (*fields, *sent, report.forwarded_by, *report.recipients)
    return frozenset(address.lower() for address in known if address)


def _without_quotes(text: str) -> str:
    return "\n".join("" if line.lstrip().startswith(">") else line for line in text.split("\n"))


def _in_subject(report: FoundReport, others: frozenset[str]) -> list[str]:
    subject = (report.headers.first("subject") or "")[:500]
    return [one.address for one in find_mentions(subject) if one.address.lower() not in others]


def _only_one(text: str, others: frozenset[str]) -> list[str]:
    """Return the only address besides those of sender and reporter."""
    named = {one.address for one in find_meant(text, others, frozenset())}
    return list(named) if len(named) == 1 else []


def _screen_names(report: FoundReport, text: str) -> list[str]:
    """Return names without a domain below an introduction, as AOL writes those of its own users."""
    domain = (report.headers.address("from") or "").rpartition("@")[2]
    listed = _INTRODUCTION.search(text) if domain else None
    return [f"{name}@{domain}" for name in listed[1].split()] if listed else []
