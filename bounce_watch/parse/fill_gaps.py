"""Add to a delivery status what only the text part says: reply codes, better statuses, texts.

Sendmail writes no Diagnostic-Code for its own errors, and OpenSMTPD never does; both put the reply
in the text part. Only entries about the same address are joined.
"""

from dataclasses import replace

from bounce_watch.model import Action, RecipientFields
from bounce_watch.parse.delivery_claims import says_something
from bounce_watch.parse.fields import ReportFields
from bounce_watch.parse.formats import prose, sendmail
from bounce_watch.parse.smtp_reply import is_vague
from bounce_watch.unwrap import FoundReport


def with_words(found: ReportFields, report: FoundReport) -> ReportFields:
    """Return the fields with gaps filled, unchanged if every failed entry has a reply code."""
    if not any(map(_has_gap, found.recipients)):
        return found
    words = _words(report)
    recipients = tuple(_filled(entry, words) if _has_gap(entry) else entry for entry in found.recipients)
    return found._replace(recipients=recipients)


def _has_gap(entry: RecipientFields) -> bool:
    return entry.action in (Action.FAILED, Action.DELAYED) and entry.reply_code is None


def _words(report: FoundReport) -> dict[str, RecipientFields]:
    for form in (sendmail, prose):
        if found := form.read(report):
            return {(entry.final_recipient or "").lower(): entry for entry in found.recipients}
    return {}


def _filled(entry: RecipientFields, words: dict[str, RecipientFields]) -> RecipientFields:
    names = (entry.final_recipient, entry.original_recipient)
    said = next((words[name.lower()] for name in names if name and name.lower() in words), None)
    if said is None and len(words) == 1:
        said = next(iter(words.values()))
    if said is None or not says_something(said.diagnostic_code or ""):
        return entry
    return replace(
        entry,
        status=said.status if is_vague(entry.status) and said.status else entry.status,
        reply_code=said.reply_code,
        diagnostic_code=entry.diagnostic_code or said.diagnostic_code,
    )
