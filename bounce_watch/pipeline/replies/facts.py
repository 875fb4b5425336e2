"""What a reply is written from: one report, the incident it belongs to, and what the history adds.

The letter, `person`, `show` and `explain` take their steps from here, so that all say the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bounce_watch.detect import Rule
from bounce_watch.model import Bounce, Incident, JudgedReport, Owner, Site, is_subject_hash
from bounce_watch.model.dns import DnsFinding, Question
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.guidance.letter import leading
from bounce_watch.notifications.guidance.notes import UNDELIVERABLE
from bounce_watch.notifications.guidance.suggestions import may_be_mistyped
from bounce_watch.store import BounceDetail, StoreQueries

EARLIER = timedelta(days=30)
"""How long a bounce counts as an earlier attempt."""

ASKED_BEFORE = timedelta(hours=1)
"""An answer of DNS from so long before a bounce still holds for it."""


def incident_of(
    rules: Iterable[Rule], judged: JudgedReport, incidents: Sequence[Incident]
) -> Incident | None:
    """Return the open incident of a report that its reply may mention.

    Its rule must have guidance for colleagues: others do not fix a mail that is sent again and again, or an
    address that is gone. Incidents for the security team are never mentioned: the reader of the mailbox may
    be the intruder. Nor is one if the mail failed for several causes, which it explains only in part.
    """
    if len({bounce.cause for bounce in judged.failed}) != 1:
        return None
    guiding = {rule.id for rule in rules if rule.guidance}
    for incident in sorted(incidents, key=lambda one: one.number):
        finding = incident.finding
        is_open = not incident.state.is_closed
        if is_open and finding.owner is not Owner.SECURITY and finding.rule_id in guiding:
            return incident
    return None


def facts_of(
    store: StoreQueries,
    site: Site,
    now: datetime,
    judged: JudgedReport,
    incident: Incident | None,
    *,
    to: str = "",
    event_key: str = "",
) -> ReplyFacts:
    """Return what the reply is written from: the report, and what the history adds to it."""
    original, lead, known = judged.report.original, leading(judged.failed), store.known_addresses
    accepted, language, earlier = site.accepted_evidence, None, 0
    if not judged.report.language and to:
        language = known.language_of(to, accepted)
    if lead.sender is not None:
        earlier = known.earlier_bounces(
            lead.sender, lead.recipient, judged.report_id, since=now - EARLIER, accepted=accepted
        )
    addresses, domains = find_similar(store, site, lead) if may_be_mistyped(lead.cause) else ((), ())
    return ReplyFacts(
        to=to,
        event_key=event_key,
        bounces=judged.failed,
        mail_subject=None if is_subject_hash(original.subject or "") else original.subject,
        mail_date=original.date,
        mail_id=original.message_id,
        language=judged.report.language,
        earlier_language=language,
        incident=incident.name if incident else None,
        incident_since=incident.opened_at if incident else None,
        earlier_bounces=earlier,
        known_addresses=addresses,
        known_domains=domains,
        dns=_undeliverable(store, lead),
    )


def find_similar(store: StoreQueries, site: Site, lead: Bounce) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return addresses at the domain, and our own domains with those that the sender's mail reached."""
    known, accepted, domain = store.known_addresses, site.accepted_evidence, lead.recipient_domain
    addresses: tuple[str, ...] = ()
    domains = tuple(sorted(site.accepted_domains))
    if domain is not None:
        addresses = known.at_domain(domain, accepted)
        if lead.sender is not None:
            domains = (*domains, *known.domains(lead.sender, domain, accepted))
    return addresses, domains


def _undeliverable(store: StoreQueries, lead: Bounce) -> DnsFinding | None:
    """Return the answer of DNS that mail for the recipient's domain cannot be delivered, None without one."""
    if lead.cause not in UNDELIVERABLE or lead.recipient_domain is None or lead.occurred_at is None:
        return None
    found = store.dns.newest([lead.recipient_domain])
    since = lead.occurred_at - ASKED_BEFORE
    proving = (one for one in found if one.question is Question.MX and one.proves and one.asked_at >= since)
    return next(proving, None)


def stored_facts(
    store: StoreQueries,
    site: Site,
    rules: Iterable[Rule],
    now: datetime,
    detail: BounceDetail,
    *,
    to: str = "",
    event_key: str = "",
) -> ReplyFacts | None:
    """Return the facts of a stored report, None if nothing in it failed."""
    judged = JudgedReport(
        report_id=detail.report.id,
        report=detail.report.report,
        bounces=tuple(row.bounce for row in detail.bounces),
        evidence=detail.report.evidence,
        received_at=detail.message.received_at,
    )
    if not judged.failed:
        return None
    incident = incident_of(rules, judged, detail.incidents)
    return facts_of(store, site, now, judged, incident, to=to, event_key=event_key)


def about(facts: ReplyFacts, bounce: Bounce) -> ReplyFacts:
    """Return the facts for the recipients that failed for the same cause as a bounce."""
    if leading(facts.bounces).cause is bounce.cause:
        return facts
    same = tuple(one for one in facts.bounces if one.cause is bounce.cause)
    return replace(facts, bounces=same or (bounce,), incident=None, earlier_bounces=0)
