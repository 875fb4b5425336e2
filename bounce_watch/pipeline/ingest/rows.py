"""A group of messages becomes rows, before anything is decided about any of them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bounce_watch.classify import assess_evidence, judge
from bounce_watch.classify.evidence import EvidenceResult
from bounce_watch.model import JudgedReport, Kind, NotAReport, Report, subject_hash
from bounce_watch.pipeline.context import Context
from bounce_watch.sandbox.outcome import Outcome, Overrun
from bounce_watch.source.interface import Message
from bounce_watch.store import MessageState, NewMessage, NewReport, StoredBounces, StoredReport, Transaction

Read = tuple[Message, Outcome]


@dataclass(slots=True, kw_only=True)
class Stored:
    """A message that has its row. `reports` are those that came for the first time, with their bounces.

    `duplicates` counts the others; `reason` says why it holds no report.
    """

    kind: Kind
    state: MessageState
    reason: str | None
    reports: list[tuple[JudgedReport, StoredBounces]] = field(default_factory=list)
    duplicates: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assessed:
    """A report on its way into the store. `kept` is it as it is stored, `told` as answers see it."""

    message: Stored
    message_id: int
    received_at: datetime | None
    report: Report
    kept: Report
    told: Report
    assessed: EvidenceResult


def store(context: Context, tx: Transaction, read: Sequence[Read], now: datetime) -> list[Stored | None]:
    """Store messages, their reports and bounces; None for those that could not be read."""
    rows = [_row(message, outcome) for message, outcome in read]
    numbers = iter(tx.add_messages([row for row in rows if row is not None], now))
    placed = [
        None if row is None else (next(numbers), Stored(kind=row.kind, state=row.state, reason=row.reason))
        for row in rows
    ]
    assessed = [
        one
        for (message, outcome), place in zip(read, placed, strict=True)
        if place is not None
        for one in _weigh(context, message, outcome, *place)
    ]
    _store_reports(context, tx, assessed, now)
    return [None if place is None else place[1] for place in placed]


def _row(message: Message, outcome: Outcome) -> NewMessage | None:
    """Return a message as a row, None for one that could not be read."""
    if isinstance(outcome, Overrun):
        return None
    reports = [reading for reading in outcome if isinstance(reading, Report)]
    match outcome[0]:
        case _ if reports:
            kind, state, reason = _kind_of(reports), MessageState.STORED, None
        case NotAReport(kind=kind, reason=reason):
            state = MessageState.LEFT
        case _:
            return None
    place = message.location
    return NewMessage(
        mailbox=place.mailbox,
        validity=place.validity,
        uid=place.uid,
        sha256=hashlib.sha256(message.raw).hexdigest(),
        size=message.size,
        received_at=message.received_at,
        kind=kind,
        reason=reason,
        state=state,
    )


def _kind_of(reports: Sequence[Report]) -> Kind:
    """Return the kind of a message with several reports: a failure counts most."""
    return Kind.FAILURE if any(report.kind is Kind.FAILURE for report in reports) else reports[0].kind


def _weigh(
    context: Context, message: Message, outcome: Outcome, message_id: int, stored: Stored
) -> Iterator[_Assessed]:
    for report in () if isinstance(outcome, Overrun) else outcome:
        if isinstance(report, Report):
            kept, told = _subject_as_wanted(report, context.config.retention.subjects)
            yield _Assessed(
                message=stored,
                message_id=message_id,
                received_at=message.received_at,
                report=report,
                kept=kept,
                told=told,
                assessed=assess_evidence(report, context.site),
            )


def _store_reports(context: Context, tx: Transaction, reports: Sequence[_Assessed], now: datetime) -> None:
    """Store reports, and the bounces of those that are no copies."""
    new = [
        NewReport(
            message_id=one.message_id,
            report=one.kept,
            evidence=one.assessed.evidence,
            tests=one.assessed.tests,
        )
        for one in reports
    ]
    judged: list[tuple[Stored, JudgedReport]] = []
    for one, row in zip(reports, tx.add_reports(new, now), strict=True):
        if row.duplicate_of is None:
            judged.append((one.message, _judged(context, one, row)))
        else:
            one.message.duplicates += 1
    bounces = tx.add_all_bounces([(report.report_id, report.bounces) for _, report in judged], now)
    for (message, report), stored in zip(judged, bounces, strict=True):
        message.reports.append((report, stored))


def _judged(context: Context, one: _Assessed, row: StoredReport) -> JudgedReport:
    return JudgedReport(
        report_id=row.report_id,
        report=one.told,
        bounces=judge(one.report, context.catalogue, context.site, one.assessed),
        evidence=one.assessed.evidence,
        received_at=one.received_at,
    )


def _subject_as_wanted(report: Report, wanted: str) -> tuple[Report, Report]:
    """Return the report as it is stored, and as answers see it: what is not kept stands in no letter."""
    subject = report.original.subject
    if wanted == "kept" or subject is None:
        return report, report
    without = replace(report, original=replace(report.original, subject=None))
    if wanted == "off":
        return without, without
    return replace(report, original=replace(report.original, subject=subject_hash(subject))), without
