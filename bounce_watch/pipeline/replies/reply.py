"""The reply to a colleague whose mail bounced: what it is about, its facts, and its way through the gate."""

import hashlib
from collections.abc import Callable, Sequence

from bounce_watch.classify.authentication import is_disowned
from bounce_watch.model import (
    Cause,
    Incident,
    JudgedReport,
    LetterKind,
    Report,
)
from bounce_watch.model.address import normalise
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.freeze import is_own_mark
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.notifications.guidance.letter import leading
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.replies.facts import facts_of, incident_of, stored_facts
from bounce_watch.pipeline.replies.merge import enqueue_or_merge
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
    candidate = candidate_of(judged, incident, lambda mark: is_own_mark(context.secret, mark))
    site, now = context.site, context.clock()
    named = {"to": candidate.to or "", "event_key": candidate.event_key}

    def facts() -> ReplyFacts:
        return facts_of(tx, site, now, judged, incident, **named)

    def stored(bounce: int) -> ReplyFacts | None:
        return stored_facts(tx, site, context.rules, now, tx.history.show(bounce), **named)

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
