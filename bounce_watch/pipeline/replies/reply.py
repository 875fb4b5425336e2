"""The reply to a colleague whose mail bounced: what it is about, its facts, and its way through the gate."""

import hashlib
from collections.abc import Callable, Sequence

from bounce_watch.classify.authentication import is_disowned
from bounce_watch.config.owners import SenderOwner, find_owner
from bounce_watch.model import Cause, Incident, JudgedReport, LetterKind, Report
from bounce_watch.model.address import normalise
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.freeze import is_own_mark
from bounce_watch.notifications.gate.values import Candidate, Reason
from bounce_watch.notifications.guidance.letter import leading
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.replies.facts import facts_of, incident_of, stored_facts
from bounce_watch.pipeline.replies.merge import enqueue_or_merge
from bounce_watch.pipeline.replies.owners import goes_to_owner
from bounce_watch.store import Transaction


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
    incident = incident_of(context.rules, judged, incidents)
    owner = find_owner(context.owners, addressee_of(judged))
    candidate = candidate_of(judged, incident, lambda mark: is_own_mark(context.secret, mark), owner)
    site, now = context.site, context.clock()
    if goes_to_owner(candidate, owner, context.policy, now):
        tx.outbox.withhold(candidate.to, candidate.cause, Reason.OWNER_TOLD, now, judged.report_id)
        return False
    named = {"to": candidate.to or "", "event_key": candidate.event_key}

    def facts() -> ReplyFacts:
        return facts_of(tx, site, now, judged, incident, **named)

    def stored(bounce: int) -> ReplyFacts | None:
        return stored_facts(tx, site, context.rules, now, tx.history.show(bounce), **named)

    return enqueue_or_merge(
        context, tx, candidate, facts, report_id=judged.report_id, stored=stored, is_first=is_first
    )


def addressee_of(judged: JudgedReport) -> str | None:
    """Return who a reply to a report would go to, None if it does not say."""
    addressee = leading(judged.failed).sender or judged.report.forwarded_by
    return normalise(addressee) if addressee else None


def candidate_of(
    judged: JudgedReport,
    incident: Incident | None,
    is_ours: Callable[[str], bool],
    owner: SenderOwner | None = None,
) -> Candidate:
    """Return the reply that a report asks for, before the gate. `is_ours` recognizes our own marks.

    `owner` is who looks after the address that would get it.
    """
    report, lead, to = judged.report, leading(judged.failed), addressee_of(judged)
    marks = [*report.original.own_marks, report.original.message_id or ""]
    marks += [mark for layer in report.provenance for mark in layer.own_marks]
    return Candidate(
        kind=LetterKind.REPLY,
        to=to,
        event_key=_event_key(to, lead.cause, report, incident),
        cause=lead.cause,
        evidence=judged.evidence,
        report_kind=report.kind,
        action=lead.action,
        own_mark=any(map(is_ours, marks)),
        automatic=report.original.automatic,
        known_robot=owner is not None and owner.knows_as_unread(to or ""),
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
