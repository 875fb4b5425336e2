"""One message becomes rows, findings and letters, in the transaction of its group. The move comes after."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bounce_watch.classify import assess_evidence, judge
from bounce_watch.model import JudgedReport, Kind, NotAReport, Report, Unreadable, subject_hash
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.incidents.rules import detect
from bounce_watch.pipeline.replies.reply import answer
from bounce_watch.sandbox.outcome import Outcome, Overrun
from bounce_watch.source.interface import Message
from bounce_watch.store import Change, MessageState, Transaction
from bounce_watch.testing import crash_points

FAILURES_BEFORE_QUARANTINE = 3


@dataclass(slots=True, kw_only=True)
class IngestedMessage:
    """What one message brought.

    `state` says what is to become of it: stored (to be filed), quarantined, left.
    `kind` is that of its first report, else of what it is instead.
    """

    state: MessageState
    kind: Kind
    bounces: int = 0
    duplicates: int = 0
    opened: tuple[int, ...] = ()
    letters: int = 0
    withheld: int = 0
    reason: str | None = None


def ingest_messages(
    context: Context, messages: Sequence[tuple[Message, Outcome]], *, historical: bool = False
) -> list[IngestedMessage]:
    """Commit everything that follows from these messages in one transaction: all of them, or none.

    An outcome is what the message was read as. `historical` stores and counts, but writes to no one.
    Raises StoreError; nothing is stored then.
    """
    # Before the transaction, because looking up a key may take time.
    verified = [(message, _verified(context, outcome)) for message, outcome in messages]
    now, ingested = context.clock(), []
    with context.store.transaction() as tx:
        for message, outcome in verified:
            ingested.append(_ingest(context, tx, message, outcome, now, historical=historical))
            crash_points.point("receive.stored")
    return ingested


def _verified(context: Context, outcome: Outcome) -> Outcome:
    if context.signatures is None or isinstance(outcome, Overrun):
        return outcome
    return tuple(map(context.signatures.checked, outcome))


def note_failure(context: Context, message: Message, reason: str) -> IngestedMessage:
    """Count a failure that these bytes bring about; quarantine them at the third time."""
    with context.store.transaction() as tx:
        return _count_failure(tx, message, reason, context.clock())


def _ingest(
    context: Context, tx: Transaction, message: Message, outcome: Outcome, now: datetime, *, historical: bool
) -> IngestedMessage:
    if isinstance(outcome, Overrun):
        return _count_failure(tx, message, outcome.reason, now)
    reports = [reading for reading in outcome if isinstance(reading, Report)]
    if reports:
        # Of several reports a failure counts most.
        kind = next((Kind.FAILURE for one in reports if one.kind is Kind.FAILURE), reports[0].kind)
        ingested = IngestedMessage(state=MessageState.STORED, kind=kind)
    else:
        match outcome[0]:
            case Unreadable(reason=reason):
                return _quarantine(tx, message, reason, now)
            case NotAReport(kind=kind, reason=reason):
                ingested = IngestedMessage(state=MessageState.LEFT, kind=kind, reason=reason)
            case _:
                raise AssertionError("what is no report is unreadable or named")
    number = _add(tx, message, ingested, now)
    for report in reports:
        _ingest_report(context, tx, (number, message.received_at), report, ingested, historical=historical)
    return ingested


def _add(tx: Transaction, message: Message, ingested: IngestedMessage, now: datetime) -> int:
    place = message.location
    return tx.messages.add_message(
        mailbox=place.mailbox,
        validity=place.validity,
        uid=place.uid,
        sha256=hashlib.sha256(message.raw).hexdigest(),
        size=message.size,
        received_at=message.received_at,
        now=now,
        kind=ingested.kind,
        reason=ingested.reason,
        state=ingested.state,
    )


def _ingest_report(
    context: Context,
    tx: Transaction,
    stored_message: tuple[int, datetime | None],
    report: Report,
    ingested: IngestedMessage,
    *,
    historical: bool,
) -> None:
    """Store a report and its bounces, let the rules look at them, and answer; a copy is only counted."""
    (number, received_at), now = stored_message, context.clock()
    kept, told = _subject_as_wanted(report, context.config.retention.subjects)
    assessed = assess_evidence(report, context.site)
    stored = tx.messages.add_report(
        number,
        kept,
        evidence=assessed.evidence,
        tests=assessed.tests,
        now=now,
        received_at=received_at,
    )
    if stored.duplicate_of is not None:
        ingested.duplicates += 1
        return
    judged = JudgedReport(
        report_id=stored.report_id,
        report=told,
        bounces=judge(report, context.catalogue, context.site, assessed),
        evidence=assessed.evidence,
        received_at=received_at,
    )
    if not judged.bounces:
        return
    events = tx.messages.add_bounces(stored, judged.bounces, now)
    recorded = detect(context, tx, events, historical=historical, is_first=not ingested.bounces)
    ingested.bounces += len(judged.failed)
    ingested.opened += tuple(one.incident.number for one in recorded if one.change is Change.OPENED)
    answered = None if historical else answer(context, tx, judged, [one.incident for one in recorded])
    ingested.letters += answered is True
    ingested.withheld += answered is False


def _subject_as_wanted(report: Report, wanted: str) -> tuple[Report, Report]:
    """Return the report as it is stored, and as answers see it: what is not kept stands in no letter."""
    subject = report.original.subject
    if wanted == "kept" or subject is None:
        return report, report
    without = replace(report, original=replace(report.original, subject=None))
    if wanted == "off":
        return without, without
    return replace(report, original=replace(report.original, subject=subject_hash(subject))), without


def _count_failure(tx: Transaction, message: Message, reason: str, now: datetime) -> IngestedMessage:
    place = message.location
    attempts = tx.messages.note_failure(
        mailbox=place.mailbox, validity=place.validity, uid=place.uid, reason=reason, now=now
    )
    if attempts >= FAILURES_BEFORE_QUARANTINE:
        return _quarantine(tx, message, reason, now)
    return IngestedMessage(state=MessageState.SEEN, kind=Kind.UNREADABLE, reason=reason)


def _quarantine(tx: Transaction, message: Message, reason: str, now: datetime) -> IngestedMessage:
    place = message.location
    tx.quarantine.add(
        mailbox=place.mailbox,
        validity=place.validity,
        uid=place.uid,
        sha256=hashlib.sha256(message.raw).hexdigest(),
        raw=message.raw,
        reason=reason,
        received_at=message.received_at,
        now=now,
    )
    return IngestedMessage(state=MessageState.QUARANTINED, kind=Kind.UNREADABLE, reason=reason)
