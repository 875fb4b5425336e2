"""What an alert says about DNS: what was asked, what is wrong, what to publish, what changed when."""

from collections.abc import Sequence
from datetime import datetime

from bounce_watch.model.dns import DnsFinding, DnsVerdict, RecordChange
from bounce_watch.notifications.rendering import local_time
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.templates import Value
from bounce_watch.notifications.rendering.translator import Translator
from bounce_watch.notifications.translatable import N_

MAX_FINDINGS = 8
LONGEST_WHY, LONGEST_RECORD, LONGEST_PROPOSAL = 300, 600, 1200
_UNASKED = N_("could not be asked: %(why)s")


def findings_of(translator: Translator, zone: str, findings: Sequence[DnsFinding]) -> list[Value]:
    """Return the findings for a template, what is wrong first; records are shown as text of a stranger."""
    order = sorted(findings, key=lambda one: (not one.proves, one.verdict is DnsVerdict.OK))
    return [_finding(translator, zone, one) for one in order[:MAX_FINDINGS]]


def _finding(translator: Translator, zone: str, finding: DnsFinding) -> Value:
    why = plain(finding.why, LONGEST_WHY)
    return {
        "question": _label(finding.question),
        "name": plain(finding.name, 255),
        "why": translator.gettext(_UNASKED, why=why) if finding.verdict is DnsVerdict.UNASKED else why,
        "record": plain(finding.record, LONGEST_RECORD),
        "publish": plain(finding.publish, LONGEST_PROPOSAL),
        "asked": translator.moment(local_time.local(finding.asked_at, zone)),
    }


def changes_of(translator: Translator, zone: str, changes: Sequence[RecordChange]) -> list[Value]:
    """Return the changes for a template, the newest first."""

    def moment(at: datetime) -> str:
        return translator.moment(local_time.local(at, zone))

    newest = sorted(changes, key=lambda one: one.until, reverse=True)[:MAX_FINDINGS]
    none = translator.gettext("no record")
    return [
        {
            "span": translator.gettext(
                "%(question)s of %(name)s changed between %(since)s and %(until)s.",
                question=_label(one.question),
                name=plain(one.name, 255),
                since=moment(one.since),
                until=moment(one.until),
            ),
            "before": plain(one.before, LONGEST_RECORD) or none,
            "after": plain(one.after, LONGEST_RECORD) or none,
        }
        for one in newest
    ]


def _label(question: str) -> str:
    return question.upper().replace("_", "-")
