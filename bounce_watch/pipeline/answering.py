"""Guidance for the colleague whose mail bounced: composed, put before the gate, placed in the outbox."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from bounce_watch.model import Action, Bounce, Cause, Evidence, Letter, LetterKind, Report
from bounce_watch.model.address import normalise
from bounce_watch.pipeline.house import House
from bounce_watch.pipeline.posting import post
from bounce_watch.reply.compose import ReplyFacts, leading
from bounce_watch.reply.freeze import is_own_mark
from bounce_watch.reply.gate import Candidate
from bounce_watch.store import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A stored report with everything that was made of it. `received_at` is its arrival in the mailbox."""

    report_id: int
    report: Report
    bounces: tuple[Bounce, ...]
    evidence: Evidence | None
    received_at: datetime | None

    @property
    def failed(self) -> tuple[Bounce, ...]:
        return tuple(bounce for bounce in self.bounces if bounce.action is Action.FAILED)


def answer(house: House, tx: Transaction, judged: Judged) -> bool | None:
    """Write to the bounced sender, or note why not. None: there is nothing to answer."""
    if not judged.failed:
        return None
    candidate = _candidate(house, judged)

    def write() -> Letter:
        return house.composer.reply(_facts(candidate, judged))

    return post(house, tx, candidate, write, report_id=judged.report_id)


def _candidate(house: House, judged: Judged) -> Candidate:
    report, lead = judged.report, leading(judged.failed)
    addressee = report.forwarded_by or lead.sender
    marks = [*report.original.own_marks, report.original.message_id or ""]
    marks += [mark for layer in report.provenance for mark in layer.own_marks]
    return Candidate(
        kind=LetterKind.REPLY,
        to=normalise(addressee) if addressee else None,
        event_key=_event_key(addressee, lead.cause, report),
        cause=lead.cause,
        evidence=judged.evidence,
        report_kind=report.kind,
        action=lead.action,
        own_mark=any(is_own_mark(house.secret, mark) for mark in marks),
        automatic=report.original.automatic,
        original_sender=report.original.sender,
        original_recipients=report.original.recipients,
        received_at=judged.received_at,
    )


def _event_key(addressee: str | None, cause: Cause, report: Report) -> str:
    """Name the event "this person, this cause, this mail": whatever reports it again is answered once."""
    about = report.original.message_id or report.fingerprint
    digest = hashlib.sha256(f"{(addressee or '').lower()}\0{cause}\0{about}".encode("utf-8", "replace"))
    return f"reply:{digest.hexdigest()}"


def _facts(candidate: Candidate, judged: Judged) -> ReplyFacts:
    original = judged.report.original
    return ReplyFacts(
        to=candidate.to or "",
        event_key=candidate.event_key,
        bounces=judged.failed,
        mail_subject=original.subject,
        mail_date=original.date,
        mail_id=original.message_id,
        language=judged.report.language,
    )
