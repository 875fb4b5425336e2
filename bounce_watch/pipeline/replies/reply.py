"""The reply to a colleague whose mail bounced: what it is about, its facts, and its way through the gate."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta

from bounce_watch.classify.authentication import is_disowned
from bounce_watch.model import (
    Bounce,
    Cause,
    Incident,
    JudgedReport,
    LetterKind,
    Owner,
    Report,
    is_subject_hash,
)
from bounce_watch.model.address import normalise
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.freeze import is_own_mark
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.notifications.guidance.letter import leading
from bounce_watch.notifications.guidance.suggestions import may_be_mistyped
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.replies.merge import enqueue_or_merge
from bounce_watch.store import Transaction

EARLIER = timedelta(days=30)
"""How long a bounce counts as an earlier attempt."""


def reply_to_sender(
    context: Context,
    tx: Transaction,
    judged: JudgedReport,
    incidents: Sequence[Incident],
    *,
    is_first: bool = True,
) -> bool | None:
    """Reply to the bounced sender. `incidents` are those that the report belongs to.

    `is_first`: the message caused no reply yet. A message causes one; its other reports can only join it.
    False: withheld, the reason is noted. None: nothing failed, or a reply that is not sent yet includes it.
    """
    if not judged.failed:
        return None
    incident = _incident_of(context, judged, incidents)
    candidate = candidate_of(judged, incident, lambda mark: is_own_mark(context.secret, mark))

    def facts() -> ReplyFacts:
        return _facts_of(context, tx, candidate, judged, incident)

    def stored(bounce: int) -> ReplyFacts:
        detail = tx.history.show(bounce)
        known = JudgedReport(
            report_id=detail.report.id,
            report=detail.report.report,
            bounces=tuple(row.bounce for row in detail.bounces),
            evidence=detail.report.evidence,
            received_at=detail.message.received_at,
        )
        return _facts_of(context, tx, candidate, known, _incident_of(context, known, detail.incidents))

    return enqueue_or_merge(
        context, tx, candidate, facts, report_id=judged.report_id, stored=stored, is_first=is_first
    )


def candidate_of(
    judged: JudgedReport, incident: Incident | None, is_ours: Callable[[str], bool]
) -> Candidate:
    """Return the reply that a report asks for, before the gate. `is_ours` recognizes our own marks."""
    report, lead = judged.report, leading(judged.failed)
    addressee = lead.sender or report.forwarded_by
    marks = [*report.original.own_marks, report.original.message_id or ""]
    marks += [mark for layer in report.provenance for mark in layer.own_marks]
    return Candidate(
        kind=LetterKind.REPLY,
        to=normalise(addressee) if addressee else None,
        event_key=_event_key(addressee, lead.cause, report, incident),
        cause=lead.cause,
        evidence=judged.evidence,
        report_kind=report.kind,
        action=lead.action,
        own_mark=any(map(is_ours, marks)),
        automatic=report.original.automatic,
        disowned=is_disowned(report.original),
        original_sender=report.original.sender,
        original_recipients=report.original.recipients,
        received_at=judged.received_at,
        # A person may forward an old report today, to ask about it.
        dated_at=None if report.forwarded_by else report.date,
    )


def _event_key(addressee: str | None, cause: Cause, report: Report, incident: Incident | None) -> str:
    """Name the event "this person, this cause, this mail", to which we reply once.

    While an incident is open the event is "this person, this incident", whatever bounces for it.
    """
    about = report.original.message_id or report.fingerprint
    event = f"incident\0{incident.number}" if incident else f"{cause}\0{about}"
    digest = hashlib.sha256(f"{(addressee or '').lower()}\0{event}".encode("utf-8", "replace"))
    return f"reply:{digest.hexdigest()}"


def _incident_of(context: Context, judged: JudgedReport, incidents: Sequence[Incident]) -> Incident | None:
    """Return the open incident of a report that its reply may mention.

    Its rule must have guidance for colleagues: others do not fix a mail that is sent again and again, or an
    address that is gone. Incidents for the security team are never mentioned: the reader of the mailbox may
    be the intruder. Nor is one if the mail failed for several causes, which it explains only in part.
    """
    if len({bounce.cause for bounce in judged.failed}) != 1:
        return None
    guiding = {rule.id for rule in context.rules if rule.guidance}
    for incident in sorted(incidents, key=lambda one: one.number):
        finding = incident.finding
        is_open = not incident.state.is_closed
        if is_open and finding.owner is not Owner.SECURITY and finding.rule_id in guiding:
            return incident
    return None


def _facts_of(
    context: Context, tx: Transaction, candidate: Candidate, judged: JudgedReport, incident: Incident | None
) -> ReplyFacts:
    """Return what the reply is written from: the report, and what the history adds to it."""
    original, lead, known = judged.report.original, leading(judged.failed), tx.known_addresses
    accepted, language, earlier = context.site.accepted_evidence, None, 0
    if not judged.report.language and candidate.to:
        language = known.language_of(candidate.to, accepted)
    if lead.sender is not None:
        since = context.clock() - EARLIER
        earlier = known.earlier_bounces(
            lead.sender, lead.recipient, judged.report_id, since=since, accepted=accepted
        )
    addresses, domains = _find_similar(context, tx, lead) if may_be_mistyped(lead.cause) else ((), ())
    return ReplyFacts(
        to=candidate.to or "",
        event_key=candidate.event_key,
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
    )


def _find_similar(context: Context, tx: Transaction, lead: Bounce) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return addresses at the domain, and our own domains with those that the sender's mail reached."""
    known, accepted, domain = tx.known_addresses, context.site.accepted_evidence, lead.recipient_domain
    addresses: tuple[str, ...] = ()
    domains = tuple(sorted(context.site.accepted_domains))
    if domain is not None:
        addresses = known.at_domain(domain, accepted)
        if lead.sender is not None:
            domains = (*domains, *known.domains(lead.sender, domain, accepted))
    return addresses, domains
