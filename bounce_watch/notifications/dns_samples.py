"""Sample facts about DNS, with which the templates are rendered."""

from dataclasses import replace
from datetime import timedelta

from bounce_watch.model import Cause, Owner
from bounce_watch.model.dns import NO_DOMAIN, NULL_MX, DnsFinding, DnsVerdict, Question, RecordChange
from bounce_watch.notifications.facts import AlertFacts, ReplyFacts
from bounce_watch.notifications.template_samples import NOW, alert_facts, bounce, reply_facts


def _finding(question: Question, why: str, publish: str | None = None) -> DnsFinding:
    return DnsFinding(
        question=question,
        subject="contoso.example",
        name="contoso.example",
        verdict=DnsVerdict.UNASKED if publish is None else DnsVerdict.FAULT,
        record=publish,
        why=why,
        publish=publish,
        asked_at=NOW,
        proves=True,
    )


def undeliverable_facts(cause: Cause, language: str | None = None) -> tuple[ReplyFacts, ...]:
    """Return facts for every sentence about a recipient's domain that DNS proves."""
    plain = reply_facts(bounce(cause, Owner.SENDER), language=language)
    return tuple(replace(plain, dns=_finding(Question.MX, why)) for why in (NO_DOMAIN, NULL_MX, "no address"))


def dns_alert_facts() -> AlertFacts:
    record = "v=spf1 include:spf.protection.outlook.com -all"
    change = RecordChange(
        question=Question.SPF,
        name="contoso.example",
        before=record,
        after=None,
        since=NOW - timedelta(days=1),
        until=NOW,
    )
    return replace(
        alert_facts("dns_record"),
        dns=(_finding(Question.SPF, "no SPF record", record), _finding(Question.DMARC, "no answer in time")),
        records=(change,),
    )
