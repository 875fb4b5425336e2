"""Messages: their bytes become rows, findings and letters in one transaction. The move comes after."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bounce_watch import crash
from bounce_watch.classify import judge, weigh
from bounce_watch.model import Kind, NotAReport, Report, Unreadable, subject_hash
from bounce_watch.pipeline.answering import Judged, answer
from bounce_watch.pipeline.house import House
from bounce_watch.pipeline.patterns import detect
from bounce_watch.reading.outcome import Outcome, Overrun
from bounce_watch.source.interface import Message
from bounce_watch.store import MessageState, Transaction

FAILURES_BEFORE_QUARANTINE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message that has its row. `historical`: it is counted, but nobody is written to."""

    message_id: int
    received_at: datetime | None
    historical: bool


def take_in(
    house: House, message: Message, *, historical: bool = False, outcome: Outcome | None = None
) -> Intake:
    """Read one message and commit everything that follows from it.

    `historical` stores and counts, but writes to nobody. `outcome` is what the message was read as, None to
    read it now. Raises StoreError and ReaderUnavailable; nothing is stored then.
    """
    (intake,) = take_in_together(house, [(message, outcome)], historical=historical)
    return intake


def take_in_together(
    house: House, messages: Sequence[tuple[Message, Outcome | None]], *, historical: bool = False
) -> list[Intake]:
    """Do the same for several messages in one transaction: all of them, or none when it raises."""
    read = [
        (message, _checked(house, house.reader.read(message.raw) if known is None else known))
        for message, known in messages
    ]
    taken = []
    with house.store.transaction() as tx, tx.counting_together():
        for message, outcome in read:
            taken.append(_store(house, tx, message, outcome, historical=historical))
            crash.point("receive.stored")
    return taken


def _checked(house: House, outcome: Outcome) -> Outcome:
    """Look at our signatures before the transaction: the key may take its time to come."""
    if house.signatures is None or isinstance(outcome, Overrun):
        return outcome
    return tuple(map(house.signatures.checked, outcome))


def note_failure(house: House, message: Message, reason: str) -> Intake:
    """Count a failure that these bytes bring about; quarantine them at the third time."""
    with house.store.transaction() as tx:
        return _count_failure(tx, message, reason, house.clock())


def _store(house: House, tx: Transaction, message: Message, outcome: Outcome, *, historical: bool) -> Intake:
    """Store what was read of one message."""
    now = house.clock()
    if isinstance(outcome, Overrun):
        return _count_failure(tx, message, outcome.reason, now)
    reports = [reading for reading in outcome if isinstance(reading, Report)]
    if reports:
        kind = _kind_of(reports)
        arrival = Arrival(
            message_id=_add_message(tx, message, now=now, kind=kind, state=MessageState.STORED),
            received_at=message.received_at,
            historical=historical,
        )
        return _sum(kind, [_store_report(house, tx, arrival, report) for report in reports])
    match outcome[0]:
        case Unreadable(reason=reason):
            return _quarantine(tx, message, reason, now)
        case NotAReport(kind=kind, reason=reason):
            _add_message(tx, message, now=now, kind=kind, state=MessageState.LEFT, reason=reason)
            return Intake(state=MessageState.LEFT, kind=kind, reason=reason)
        case _:
            raise AssertionError("a message without reports is no report or unreadable")


def _count_failure(tx: Transaction, message: Message, reason: str, now: datetime) -> Intake:
    place = message.locator
    attempts = tx.note_failure(
        mailbox=place.mailbox, validity=place.validity, uid=place.uid, reason=reason, now=now
    )
    if attempts >= FAILURES_BEFORE_QUARANTINE:
        return _quarantine(tx, message, reason, now)
    return Intake(state=MessageState.SEEN, kind=Kind.UNREADABLE, reason=reason)


def _kind_of(reports: Sequence[Report]) -> Kind:
    """Return the kind of a message with several reports: a failure counts most."""
    return Kind.FAILURE if any(report.kind is Kind.FAILURE for report in reports) else reports[0].kind


def _store_report(house: House, tx: Transaction, arrival: Arrival, report: Report) -> Intake:
    now = house.clock()
    weighed = weigh(report, house.site)
    kept, told = _subject_as_wanted(report, house.config.retention.subjects)
    stored = tx.add_report(arrival.message_id, kept, evidence=weighed.evidence, tests=weighed.tests, now=now)
    if stored.duplicate_of is not None:
        return Intake(state=MessageState.STORED, kind=report.kind, duplicates=1)
    judged = Judged(
        report_id=stored.report_id,
        report=told,
        bounces=judge(report, house.catalogue, house.site, weighed),
        evidence=weighed.evidence,
        received_at=arrival.received_at,
    )
    events = tx.add_bounces(stored.report_id, judged.bounces, now)
    opened = detect(house, tx, events, historical=arrival.historical)
    answered = None if arrival.historical else answer(house, tx, judged)
    return Intake(
        state=MessageState.STORED,
        kind=report.kind,
        bounces=len(judged.failed),
        opened=opened,
        letters=int(answered is True),
        withheld=int(answered is False),
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


def _sum(kind: Kind, parts: Sequence[Intake]) -> Intake:
    return Intake(
        state=MessageState.STORED,
        kind=kind,
        bounces=sum(part.bounces for part in parts),
        duplicates=sum(part.duplicates for part in parts),
        opened=tuple(number for part in parts for number in part.opened),
        letters=sum(part.letters for part in parts),
        withheld=sum(part.withheld for part in parts),
    )


def _add_message(
    tx: Transaction,
    message: Message,
    *,
    now: datetime,
    kind: Kind,
    state: MessageState,
    reason: str | None = None,
) -> int:
    place = message.locator
    return tx.add_message(
        mailbox=place.mailbox,
        validity=place.validity,
        uid=place.uid,
        sha256=hashlib.sha256(message.raw).hexdigest(),
        size=message.size,
        received_at=message.received_at,
        now=now,
        kind=kind,
        reason=reason,
        state=state,
    )


def _quarantine(tx: Transaction, message: Message, reason: str, now: datetime) -> Intake:
    place = message.locator
    tx.quarantine(
        mailbox=place.mailbox,
        validity=place.validity,
        uid=place.uid,
        sha256=hashlib.sha256(message.raw).hexdigest(),
        raw=message.raw,
        reason=reason,
        received_at=message.received_at,
        now=now,
    )
    return Intake(state=MessageState.QUARANTINED, kind=Kind.UNREADABLE, reason=reason)
