"""Store a message that was read, with its incidents and replies, in the transaction of its group."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bounce_watch.classify import assess_evidence, judge
from bounce_watch.model import (
    Answer,
    Evidence,
    JudgedReport,
    Kind,
    NotAReport,
    OriginalMessage,
    Reading,
    Report,
    Unreadable,
    subject_hash,
)
from bounce_watch.notifications.freeze import is_own_mark
from bounce_watch.pipeline.answers.receive import receive_answer
from bounce_watch.pipeline.answers.support import report_unhelped
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.dns.proofs import look, with_proofs
from bounce_watch.pipeline.dns_proofs import Asked
from bounce_watch.pipeline.incidents.alerts import alert_opened
from bounce_watch.pipeline.incidents.rules import apply_rules
from bounce_watch.pipeline.ingest.renumbered import find_renumbered, sha256_of
from bounce_watch.pipeline.replies.reply import reply_to_sender
from bounce_watch.pipeline.result import IngestedMessage
from bounce_watch.sandbox.outcome import Limit, Outcome, Overrun
from bounce_watch.source.interface import Message
from bounce_watch.store import Change, MessageState, Transaction
from bounce_watch.testing import crash_points

FAILURES_BEFORE_QUARANTINE = 3


def ingest_messages(
    context: Context,
    messages: Sequence[tuple[Message, Outcome]],
    *,
    historical: bool = False,
    first: Callable[[Transaction], object] = lambda _: None,
) -> list[IngestedMessage]:
    """Commit everything that follows from these messages in one transaction: all of them, or none.

    An outcome is what the message was read as. `historical` stores and counts, but writes to no one.
    `first` changes the store in the same transaction before.
    Raises StoreError; nothing is stored then.
    """
    if context.signatures is not None:
        # Before the transaction, because looking up a key may take time.
        checked = context.signatures.checked
        messages = [
            (message, outcome if isinstance(outcome, Overrun) else tuple(map(checked, outcome)))
            for message, outcome in messages
        ]
    now, ingested = context.clock(), []
    asked = {} if historical else _ask_dns(context, messages, now)
    with context.store.transaction() as tx:
        first(tx)
        for found in asked.values():
            tx.dns.record(found)
        known = find_renumbered(tx, [message for message, _ in messages])
        for message, outcome in messages:
            if (state := known.get(message.location)) is not None:
                ingested.append(IngestedMessage(state=state, kind=Kind.NOT_A_REPORT, is_known=True))
                continue
            ingested.append(_ingest(context, tx, message, outcome, now, asked=asked, historical=historical))
            crash_points.point("receive.stored")
    return ingested


def _ask_dns(context: Context, messages: Sequence[tuple[Message, Outcome]], now: datetime) -> Asked:
    """Ask about bounces that arrived lately; what DNS says now proves nothing about older ones."""
    since = now - context.policy.not_older_than
    lately = [outcome for message, outcome in messages if (message.received_at or now) >= since]
    readings = (one for outcome in lately if not isinstance(outcome, Overrun) for one in outcome)
    return look(context, readings, now)


def note_failure(context: Context, message: Message, reason: str) -> IngestedMessage:
    """Count a failure that these bytes caused; quarantine them the third time."""
    with context.store.transaction() as tx:
        return _count_failure(tx, message, reason, context.clock())


def _ingest(
    context: Context,
    tx: Transaction,
    message: Message,
    outcome: Outcome,
    now: datetime,
    *,
    asked: Asked,
    historical: bool,
) -> IngestedMessage:
    if isinstance(outcome, Overrun) and outcome.limit is Limit.STARVED:
        return IngestedMessage(state=MessageState.SEEN, kind=Kind.UNREADABLE, reason=outcome.reason)
    if isinstance(outcome, Overrun):
        return _count_failure(tx, message, outcome.reason, now)
    reports = [reading for reading in outcome if isinstance(reading, Report)]
    done = None if historical else receive_answer(context, tx, _answer_in(outcome))
    if done is not None and not reports:
        ingested = IngestedMessage(state=MessageState.STORED, kind=Kind.NOT_A_REPORT, reason=done)
    elif reports:
        # Of several reports a failure is the most important.
        kind = next((Kind.FAILURE for one in reports if one.kind is Kind.FAILURE), reports[0].kind)
        ingested = IngestedMessage(state=MessageState.STORED, kind=kind)
    else:
        match outcome[0]:
            case Unreadable(reason=reason):
                return _quarantine(tx, message, reason, now)
            case NotAReport(kind=kind, reason=reason):
                ingested = IngestedMessage(state=MessageState.LEFT, kind=kind, reason=reason)
            case _:
                raise AssertionError("a reading is a report, not a report, or unreadable")
    number = _add(tx, message, ingested, now)
    for report in reports:
        stored = (number, message.received_at)
        _ingest_report(context, tx, stored, report, ingested, asked=asked, historical=historical)
    # After the last report, so that all that one message opened is one alert.
    alert_opened(context, tx, ingested.opened)
    return ingested


def _answer_in(outcome: tuple[Reading, ...]) -> Answer | None:
    first = outcome[0]
    return None if isinstance(first, Unreadable) else first.answer


def _add(tx: Transaction, message: Message, ingested: IngestedMessage, now: datetime) -> int:
    place = message.location
    return tx.messages.add_message(
        mailbox=place.mailbox,
        validity=place.validity,
        uid=place.uid,
        sha256=sha256_of(message),
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
    asked: Asked,
    historical: bool,
) -> None:
    """Store a report and its bounces, apply the rules and reply.

    A copy is only counted, unless it proves more than the copies before: then it acts as if it came first.
    """
    (number, received_at), now = stored_message, context.clock()
    kept, shown = _with_allowed_subject(report, context.config.retention.subjects)
    assessed = assess_evidence(report, context.site)
    if assessed.evidence is Evidence.UNVERIFIED and _is_known(context, tx, report.original):
        assessed = assess_evidence(report, context.site, is_known=True)
    evidence, tests = assessed.evidence, assessed.tests
    stored = tx.messages.add_report(
        number, kept, evidence=evidence, tests=tests, now=now, received_at=received_at
    )
    if stored.duplicate_of is not None:
        ingested.duplicates += 1
        if not evidence.is_stronger_than(stored.known):
            return
    bounces = judge(report, context.catalogue, context.site, assessed)
    judged = JudgedReport(
        report_id=stored.duplicate_of or stored.report_id,
        report=shown,
        bounces=with_proofs(context, tx, asked, bounces, report),
        evidence=evidence,
        received_at=received_at,
    )
    if not judged.bounces:
        return
    is_copy = stored.duplicate_of is not None
    store_bounces = tx.messages.put_first if is_copy else tx.messages.add_bounces
    events = store_bounces(stored, judged.bounces, now)
    is_first = not (ingested.bounces or is_copy)
    recorded = apply_rules(context, tx, events, historical=historical, is_first=is_first)
    ingested.bounces += 0 if is_copy else len(judged.failed)
    ingested.opened += tuple(one.incident.number for one in recorded if one.change is Change.OPENED)
    if historical or (is_copy and stored.known in context.site.accepted_evidence):
        return  # the earlier copy was replied to
    report_unhelped(context, tx, judged)
    incidents = [one.incident for one in recorded]
    is_enqueued = reply_to_sender(context, tx, judged, incidents, is_first=not ingested.letters)
    ingested.letters += is_enqueued is True
    ingested.withheld += is_enqueued is False


def _is_known(context: Context, tx: Transaction, original: OriginalMessage) -> bool:
    """Tell whether our records hold the original message: we wrote it, or our Exchange reported on it."""
    marks = (*original.own_marks, original.message_id or "")
    return any(is_own_mark(context.secret, mark) for mark in marks) or tx.messages.has_internal_report(
        original
    )


def _with_allowed_subject(report: Report, wanted: str) -> tuple[Report, Report]:
    """Return the report as it is stored, and as replies use it: without a subject that is not kept."""
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
        sha256=sha256_of(message),
        raw=message.raw,
        reason=reason,
        received_at=message.received_at,
        now=now,
    )
    return IngestedMessage(state=MessageState.QUARANTINED, kind=Kind.UNREADABLE, reason=reason)
