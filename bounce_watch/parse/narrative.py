"""Reports in plain words: did a mail system write it, and what are its own words?"""

import re
from functools import lru_cache

from bounce_watch.model import Action
from bounce_watch.parse.delivery_claims import MAX_TEXT, is_about_a_failure, says_late
from bounce_watch.parse.plain_text import Narrative, split_returned
from bounce_watch.unwrap import FoundReport
from bounce_watch.unwrap.provenance import has_system_name, is_written_by_a_mail_system

_SYSTEM_SUBJECT = re.compile(
    r"\s{0,5}(?:\[postmaster\][ ])?(?:undeliver(?:able|ed)|non-?deliver|delayed mail|mail failed"
    r"|delivery (?:status notification|fail|notification|has failed|error|problem|report)"
    r"|mail delivery (?:fail|error|system)|returned (?:mail|to sender)|mail (?:system error|could not be)"
    r"|failure (?:notice|delivery)|permanent delivery failure|automatically rejected mail"
    r"|message (?:undeliverable|delivery|could not be delivered)|warning: message"
    r"|your message to [^\n]{1,200} could not be delivered"
    r"|メールエラー|メッセージを配信できません)",
    re.IGNORECASE,
)
_CODE = re.compile(r"\b[45]\d\d[ -]#?[45]\.\d{1,3}\.\d|\b[45][0-5]\d[ -][A-Za-z<]|\b[45]\.\d\.\d{1,2}\b")
# Microsoft's SMTPSVC writes it above a copy of the original's header fields, including those of lists.
_BANNER = "non-delivery report"
# Fields of replies, mailing lists, newsletters and mail programs.
_WRITTEN_BY_PEOPLE = (
    "in-reply-to", "list-id", "list-unsubscribe", "list-post", "feedback-id", "user-agent",
)  # fmt: skip
# Names of mail systems that people do not bear.
_SYSTEM = re.compile(
    r"mail[ _.-]{0,2}(?:er|system|server|router|gateway|daemon|admin|delivery|security|robot|transport"
    r"|agent|filter|scan)"
    r"|delivery[ _.-]?(?:sub)?system|router|post[ _.-]?(?:master|office)|content[ _.-]?filter|daemon"
    r"|bounces?@"
    r"|quarantine|anti-?(?:spam|virus)|administrat|mta\b|serveur de messagerie|mail-?server|メール|메일|邮件"
    r"|郵件"
    r"|系统|系統|почт",
    re.IGNORECASE,
)


def find_narrative(report: FoundReport) -> Narrative | None:
    """Return a report's words, None if no mail system wrote it."""
    return narrative_of(report) if is_by_a_mail_system(report) else None


@lru_cache(1)  # each format asks about the same report
def narrative_of(report: FoundReport) -> Narrative:
    """Return the words of a report of any mail system."""
    text, returned = split_returned(report.text)
    late = says_late(_subject(report), text[:MAX_TEXT])
    return Narrative(text=text, returned=returned, action=Action.DELAYED if late else Action.FAILED)


def is_by_a_mail_system(report: FoundReport) -> bool:
    """Tell whether a mail system wrote a message, by its author or by a subject that no person wrote."""
    headers = report.headers
    if has_system_author(report):
        return True
    if report.delivery_status is not None or report.text[:100].lstrip("- \n").lower().startswith(_BANNER):
        return True
    if report.inline is not None:
        return has_system_name(headers) and has_system_subject(report)
    if not has_system_subject(report) or any(name in headers for name in _WRITTEN_BY_PEOPLE):
        return False
    return shows_delivery(report)


def has_system_author(report: FoundReport) -> bool:
    """Tell whether the author is a mail system, whatever the subject."""
    return "x-failed-recipients" in report.headers or is_written_by_a_mail_system(report.headers)


def shows_delivery(report: FoundReport) -> bool:
    """Tell whether a message holds a returned message, a code, or words about a delay."""
    text = report.text
    if report.returned is not None or _CODE.search(text) or split_returned(text)[0] != text:
        return True
    return says_late("", text[:MAX_TEXT])


def has_system_subject(report: FoundReport) -> bool:
    """Tell whether mail systems write such a subject for a failure or a delay."""
    return _SYSTEM_SUBJECT.match(_subject(report)) is not None


def seems_by_a_mail_system(report: FoundReport) -> bool:
    """Tell whether a subject tells of a failed delivery and something else shows a program as its author."""
    headers = report.headers
    if not tells_of_failure(report) or any(name in headers for name in (*_WRITTEN_BY_PEOPLE, "x-mailer")):
        return False
    if not (headers.address("to") or report.recipients):
        return False  # it may be about its own reader
    has_null_path = (headers.first("return-path") or "").strip() == "<>"
    return has_null_path or _SYSTEM.search((headers.first("from") or "")[:500]) is not None


def tells_of_failure(report: FoundReport) -> bool:
    """Tell whether the subject tells of a failed delivery, in any language and words."""
    return is_about_a_failure(_subject(report))


def _subject(report: FoundReport) -> str:
    return report.headers.first("subject") or ""
