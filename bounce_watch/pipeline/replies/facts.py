"""What guidance is made of: one judged report, and what the history adds to it."""

from collections.abc import Sequence
from datetime import timedelta

from bounce_watch.model import Bounce, Incident, IncidentState, JudgedReport, Owner
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.notifications.guidance import suggestions
from bounce_watch.notifications.guidance.letter import leading
from bounce_watch.pipeline.context import Context
from bounce_watch.store import Transaction

MEMORY = timedelta(days=30)
"""How long a mail that came back counts as an earlier attempt."""


def incident_of(context: Context, judged: JudgedReport, incidents: Sequence[Incident]) -> Incident | None:
    """Return the open incident that a report belongs to, when its reader may know of it.

    Only one whose rule has a word for colleagues (`guidance`): nobody repairs for them a mail that is sent
    again and again, or an address that is gone. Not one for the security team: whoever reads the mailbox may
    be the intruder. Not for a mail that failed for several causes: then the incident is only a part of the
    answer.
    """
    if len({bounce.cause for bounce in judged.failed}) != 1:
        return None
    guiding = {rule.id for rule in context.rules if rule.guidance}
    told = (
        one
        for one in sorted(incidents, key=lambda one: one.number)
        if one.finding.owner is not Owner.SECURITY and one.state is IncidentState.OPEN
    )
    return next((one for one in told if one.finding.rule_id in guiding), None)


def facts_of(
    context: Context, tx: Transaction, candidate: Candidate, judged: JudgedReport, incident: Incident | None
) -> ReplyFacts:
    """Return what one answer is made of."""
    original, lead = judged.report.original, leading(judged.failed)
    may_be_mistyped = suggestions.may_be_mistyped(lead.cause)
    return ReplyFacts(
        to=candidate.to or "",
        event_key=candidate.event_key,
        bounces=judged.failed,
        mail_subject=original.subject,
        mail_date=original.date,
        mail_id=original.message_id,
        language=judged.report.language,
        earlier_language=_earlier_language(context, tx, candidate, judged),
        incident=incident.name if incident else None,
        incident_since=incident.opened_at if incident else None,
        earlier_bounces=_earlier(context, tx, judged, lead),
        known_addresses=_addresses(context, tx, lead) if may_be_mistyped else (),
        known_domains=_domains(context, tx, lead) if may_be_mistyped else (),
    )


def _earlier_language(
    context: Context, tx: Transaction, candidate: Candidate, judged: JudgedReport
) -> str | None:
    """Return the language a person was written in before; asked for only when the report names none."""
    if judged.report.language or not candidate.to:
        return None
    return tx.known_addresses.language_of(candidate.to, context.site.accepted_evidence)


def _earlier(context: Context, tx: Transaction, judged: JudgedReport, lead: Bounce) -> int:
    if lead.sender is None:
        return 0
    since, accepted = context.clock() - MEMORY, context.site.accepted_evidence
    return tx.known_addresses.earlier_bounces(
        lead.sender, lead.recipient, judged.report_id, since=since, accepted=accepted
    )


def _addresses(context: Context, tx: Transaction, lead: Bounce) -> tuple[str, ...]:
    domain = lead.recipient_domain
    return tx.known_addresses.at_domain(domain, context.site.accepted_evidence) if domain else ()


def _domains(context: Context, tx: Transaction, lead: Bounce) -> tuple[str, ...]:
    """Return our own domains and those that mail reached."""
    domain, ours = lead.recipient_domain, sorted(context.site.accepted_domains)
    if domain is None or lead.sender is None:
        return tuple(ours)
    return (*ours, *tx.known_addresses.domains(lead.sender, domain, context.site.accepted_evidence))
