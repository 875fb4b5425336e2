"""What all findings of DNS have in common."""

from datetime import datetime

from bounce_watch.dns.resolver import Answer, Status
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question


def begin_finding(
    question: Question,
    subject: str,
    name: str,
    answer: Answer,
    now: datetime,
    *,
    record: str,
    proves: bool = True,
) -> DnsFinding:
    """Return a finding without its own reason yet: `unasked` if no answer came, else a fault."""
    is_unasked = answer.status is Status.UNASKED
    return DnsFinding(
        question=question,
        subject=subject,
        name=name,
        verdict=DnsVerdict.UNASKED if is_unasked else DnsVerdict.FAULT,
        record=record or None,
        why=answer.why,
        asked_at=now,
        ttl=answer.ttl,
        proves=proves and not is_unasked,
    )
