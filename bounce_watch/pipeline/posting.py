"""The one way out: every letter, whatever its kind, passes the gate, is frozen and enters the outbox here."""

from collections.abc import Callable
from datetime import datetime

from bounce_watch.model import Letter, OutboxState
from bounce_watch.pipeline.house import House
from bounce_watch.reply.freeze import freeze, new_ids
from bounce_watch.reply.gate import Candidate, Past, Refused, check
from bounce_watch.store import Transaction


def post(
    house: House,
    tx: Transaction,
    candidate: Candidate,
    write: Callable[[], Letter],
    *,
    report_id: int | None = None,
    incident: int | None = None,
) -> bool:
    """Let the gate decide; then write, freeze and queue the letter. False: withheld, the reason noted."""
    now = house.clock()
    verdict = check(candidate, _past(tx, candidate, now), house.policy, now)
    if isinstance(verdict, Refused):
        tx.withhold(candidate.to, candidate.cause, verdict.reason, now, report_id)
        return False
    letter = write()
    bw_id, message_id = new_ids(house.secret, letter.event_key, house.sender[1].rpartition("@")[2])
    return tx.enqueue(
        letter,
        content=freeze(letter, sender=house.sender, bw_id=bw_id, message_id=message_id, date=now),
        bw_id=bw_id,
        state=OutboxState.HELD if verdict.hold else OutboxState.PENDING,
        now=now,
        cause=candidate.cause,
        report_id=report_id,
        incident=incident,
    )


def _past(tx: Transaction, candidate: Candidate, now: datetime) -> Past:
    history = tx.reply_history(candidate.to or "", candidate.cause, now, candidate.event_key)
    return Past(
        event_key_known=history.event_known,
        last_reply_at=history.last_reply_at,
        replies_to_person_24h=history.replies_last_day,
        mails_last_minute=history.mails_last_minute,
        mails_last_hour=history.mails_last_hour,
    )
