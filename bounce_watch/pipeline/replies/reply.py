"""Guidance for the colleague whose mail bounced: composed, put before the gate, placed in the outbox."""

import hashlib
from collections.abc import Callable, Sequence

from bounce_watch.model import Cause, Incident, JudgedReport, LetterKind, Report
from bounce_watch.model.address import normalise
from bounce_watch.notifications.facts import ReplyFacts
from bounce_watch.notifications.freeze import is_own_mark
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.notifications.guidance.letter import leading
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.replies.facts import facts_of, incident_of
from bounce_watch.pipeline.replies.merge import post_reply
from bounce_watch.store import Transaction


def answer(
    context: Context, tx: Transaction, judged: JudgedReport, incidents: Sequence[Incident]
) -> bool | None:
    """Write to the bounced sender, or note why not. `incidents` are those that the report belongs to.

    None: there is nothing to answer, or a letter that waits tells it.
    """
    if not judged.failed:
        return None
    incident = incident_of(context, judged, incidents)
    candidate = candidate_of(judged, incident, lambda mark: is_own_mark(context.secret, mark))

    def facts() -> ReplyFacts:
        return facts_of(context, tx, candidate, judged, incident)

    return post_reply(context, tx, candidate, facts, judged.report_id)


def candidate_of(
    judged: JudgedReport, incident: Incident | None, is_ours: Callable[[str], bool]
) -> Candidate:
    """Return the answer that a report asks for, before the gate. `is_ours` knows our own marks."""
    report, lead = judged.report, leading(judged.failed)
    addressee = report.forwarded_by or lead.sender
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
        original_sender=report.original.sender,
        original_recipients=report.original.recipients,
        received_at=judged.received_at,
    )


def _event_key(addressee: str | None, cause: Cause, report: Report, incident: Incident | None) -> str:
    """Name the event "this person, this cause, this mail": whatever reports it again is answered once.

    While an incident is open the event is "this person, this incident", whatever bounces for it.
    """
    about = report.original.message_id or report.fingerprint
    event = f"incident\0{incident.number}" if incident else f"{cause}\0{about}"
    digest = hashlib.sha256(f"{(addressee or '').lower()}\0{event}".encode("utf-8", "replace"))
    return f"reply:{digest.hexdigest()}"
