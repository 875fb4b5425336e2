"""Send one mail that must bounce, and wait for its reports in the watched mailboxes. Nothing is moved."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from bounce_watch.classify import assess_evidence, judge
from bounce_watch.classify.evidence import EvidenceResult
from bounce_watch.model import Bounce, Letter, LetterKind, OutboxState, Report, Signature
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.notifications.freeze import new_ids
from bounce_watch.notifications.gate.check import check, examine
from bounce_watch.notifications.gate.values import Candidate, Past, Reason, Refused
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.dkim import SignatureChecker
from bounce_watch.pipeline.outbox.enqueue import past_of, post
from bounce_watch.sandbox.outcome import Overrun
from bounce_watch.send.interface import Delivery, Outcome, Sender
from bounce_watch.source.interface import Message, Source

_SUBJECT = "bounce_watch test: this mail is meant to come back"
_TEXT = "An administrator tests how bounces reach bounce_watch. No action is needed."

NOWHERE = "bounce-watch.invalid"
"""A domain that can never exist (RFC 6761 section 6.4)."""
OWN_ACT = frozenset({Reason.OWN_BOUNCE, Reason.OWN_ADDRESS, Reason.SELF_ADDRESSED, Reason.AUTOMATIC_ORIGINAL})
"""Reasons not to reply to a probe that do not apply to the bounced mail of a colleague."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeMail:
    """A probe that was sent; without `bw_id` by hand."""

    to: str
    bw_id: str | None
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """One report about the probe. `size` is that of the message it came in.

    `assessed` follows the configuration; `signature` is checked in any case.
    """

    report: Report
    bounces: tuple[Bounce, ...]
    assessed: EvidenceResult
    signature: Signature
    received_at: datetime | None
    seen_at: datetime
    size: int
    has_our_mark: bool


def made_up_address(domain: str = NOWHERE) -> str:
    """Return a new address that does not exist."""
    return f"bounce-watch-probe-{secrets.token_hex(6)}@{domain}"


def send_probe(context: Context, sender: Sender, to: str) -> tuple[ProbeMail, Delivery | Refused]:
    """Send one probe at once, through gate and outbox; it is abandoned if that fails."""
    now = context.clock()
    event_key = f"probe:{to.lower()}:{now.isoformat()}"
    bw_id, _ = new_ids(context.secret, event_key, context.sender[1].rpartition("@")[2])
    probe = ProbeMail(to=to, bw_id=bw_id, started_at=now)
    candidate = Candidate(kind=LetterKind.PROBE, to=to, event_key=event_key)
    with context.store.transaction() as tx:
        verdict = check(candidate, past_of(tx, candidate, now), context.policy, now)
        post(context, tx, candidate, lambda: probe_letter(to, event_key))
    return probe, verdict if isinstance(verdict, Refused) else _deliver(context, sender, bw_id)


def probe_letter(to: str, event_key: str) -> Letter:
    html = f'<!doctype html><html lang="en"><body><p>{escape(_TEXT)}</p></body></html>'
    return Letter(
        kind=LetterKind.PROBE, event_key=event_key, to=to, subject=_SUBJECT, text=_TEXT + "\n", html=html
    )


def _deliver(context: Context, sender: Sender, bw_id: str) -> Delivery:
    (entry,) = (entry for entry in context.store.outbox.list(limit=50) if entry.bw_id == bw_id)
    with context.store.transaction() as tx:
        mail = tx.outbox.claim(entry.id, "probe", context.clock())
    if mail is None:
        # The service that uses the same store sends the same bytes.
        return Delivery(outcome=Outcome.SENT, reply="the running service sends it")
    delivery = sender.send(mail.recipient, mail.content)
    with context.store.transaction() as tx:
        state = tx.outbox.finish(mail.id, delivery.outcome, delivery.reply, context.clock())
        if state is not OutboxState.SENT:
            tx.outbox.abandon([mail.id], context.clock())
    return delivery


class Watch:
    """Finds reports about a probe among the new messages of the sources. Nothing is moved or stored."""

    def __init__(
        self, context: Context, sources: tuple[Source, ...], signatures: SignatureChecker | None = None
    ) -> None:
        self._context = context
        self._signatures = signatures
        self._sources = sources
        self._known: set[MessageLocation] = set()

    def begin(self) -> None:
        """Note which messages exist already. Raises SourceError."""
        for source in self._sources:
            for _ in source.messages(self._note):
                raise AssertionError("nothing was wanted")

    def _note(self, places: Sequence[MessageLocation]) -> Sequence[MessageLocation]:
        self._known.update(places)
        return ()

    def _unknown(self, places: Sequence[MessageLocation]) -> Sequence[MessageLocation]:
        return [place for place in places if place not in self._known]

    def look(self, probe: ProbeMail) -> Iterator[CameBack]:
        """Yield the reports about the probe since the last call. Raises SourceError."""
        for source in self._sources:
            for message in source.messages(self._unknown):
                self._known.add(message.location)
                yield from self._reports(message, probe)

    def _reports(self, message: Message, probe: ProbeMail) -> Iterator[CameBack]:
        context, outcome = self._context, self._context.reader.read(message.raw)
        reports = () if isinstance(outcome, Overrun) else outcome
        for report in reports:
            if isinstance(report, Report) and _is_about(report, probe):
                signed = self._signatures.checked_report(report) if self._signatures else report
                yield CameBack(
                    report=report,
                    bounces=judge(report, context.catalogue, context.site),
                    assessed=assess_evidence(signed if context.signatures else report, context.site),
                    signature=signed.original.signature,
                    received_at=message.received_at,
                    seen_at=context.clock(),
                    size=message.size,
                    has_our_mark=_has_mark(report, probe),
                )


def _is_about(report: Report, probe: ProbeMail) -> bool:
    recipients = {entry.final_recipient for entry in report.recipients}
    recipients |= {entry.original_recipient for entry in report.recipients}
    wanted = probe.to.lower()
    return _has_mark(report, probe) or any(one and one.lower() == wanted for one in recipients)


def _has_mark(report: Report, probe: ProbeMail) -> bool:
    if probe.bw_id is None:
        return False
    marks = [*report.original.own_marks, report.original.message_id or ""]
    return any(probe.bw_id in mark for mark in marks)


def withheld_from_colleague(context: Context, came: CameBack) -> tuple[Reason, ...]:
    """Return the reasons for which we would not reply to a colleague after such a report."""
    failed = [bounce for bounce in came.bounces if bounce.action is not None]
    candidate = Candidate(
        kind=LetterKind.REPLY,
        to=f"colleague@{min(context.site.accepted_domains)}",
        event_key="probe",
        evidence=came.assessed.evidence,
        report_kind=came.report.kind,
        action=failed[0].action if failed else None,
        received_at=came.received_at,
    )
    checks = examine(candidate, Past(), context.policy, context.clock())
    return tuple(reason for reason, hits in checks if hits and reason not in OWN_ACT)
