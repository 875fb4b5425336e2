"""The all-clear to colleagues: after an incident, its senders can send their mail again."""

from collections import Counter
from dataclasses import dataclass
from functools import partial

from bounce_watch.config.owners import find_owner
from bounce_watch.model import Action, Evidence, Incident, IncidentState, LetterKind, Owner, is_subject_hash
from bounce_watch.notifications.facts import NoticeFacts, OwnMail
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.incidents.alerts import alert_resolved
from bounce_watch.pipeline.outbox.enqueue import past_of, post
from bounce_watch.store import BounceRow, IncidentDetail, Transaction

PACE = 0.8
"""The share of the sending limit that notices may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A colleague and the mails that an incident stopped; `evidence` is that of the newest."""

    sender: str
    mails: tuple[OwnMail, ...]
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifiedColleagues:
    """`queued` notices are in the outbox, the gate withheld others, `left` wait for the sending limit."""

    queued: int
    withheld: int
    left: int


def close_incident(context: Context, number: int, *, by: str, why: str) -> Incident:
    """Resolve an incident for a person, and give the admins the all-clear. Raises NotThere."""
    with context.store.transaction() as tx:
        return close_in(context, tx, number, by=by, why=why)


def close_in(context: Context, tx: Transaction, number: int, *, by: str, why: str) -> Incident:
    """Do the same in a transaction that does more."""
    incident = tx.incidents.resolve(number, context.clock(), by=by, why=why)
    alert_resolved(context, tx, number, by=by, why=why)
    return incident


def affected_by(detail: IncidentDetail) -> tuple[Affected, ...]:
    """Return the senders of an incident with their own mails, in order of their addresses."""
    rows: dict[str, list[BounceRow]] = {}
    for row in detail.bounces:
        if row.bounce.sender and row.bounce.action is Action.FAILED:
            rows.setdefault(row.bounce.sender.lower(), []).append(row)
    return tuple(
        Affected(
            sender=sender,
            mails=tuple(dict.fromkeys(map(_own_mail, rows[sender]))),
            evidence=rows[sender][-1].bounce.evidence,
        )
        for sender in sorted(rows)
    )


def _own_mail(row: BounceRow) -> OwnMail:
    subject = None if row.subject is None or is_subject_hash(row.subject) else row.subject
    return OwnMail(
        recipient=row.bounce.recipient, subject=subject, sent_at=row.sent_at or row.bounce.occurred_at
    )


def notify_colleagues(context: Context, number: int) -> NotifiedColleagues:
    """Queue a notice for each affected sender, through the gate, once per incident.

    Stops before the sending limit, which would stop replies to others; call it again a minute later for the
    rest. Raises NotThere, and ValueError if the incident is unresolved or for the security team only.
    """
    outcomes: Counter[str] = Counter()
    with context.store.transaction() as tx:
        detail = tx.incidents.show(number)
        if detail.incident.finding.owner is Owner.SECURITY:
            raise ValueError(f"{detail.incident.name} is about accounts that an attacker may read: call")
        if detail.incident.state is not IncidentState.RESOLVED:
            raise ValueError(
                f"{detail.incident.name} is not resolved: `bounce-watch incidents resolve {number}` "
                "once it is fixed"
            )
        for one in affected_by(detail):
            candidate = _candidate(context, detail.incident, one)
            past = past_of(tx, candidate, context.clock())
            if past.event_key_known:
                continue
            minute, hour = context.policy.per_minute, context.policy.per_hour
            if max(past.mails_last_minute / minute, past.mails_last_hour / hour) >= PACE:
                outcomes["left"] += 1
                continue
            facts = NoticeFacts(
                event_key=candidate.event_key,
                to=one.sender,
                incident=detail.incident,
                mails=one.mails,
                language=tx.known_addresses.language_of(one.sender, context.site.accepted_evidence),
            )
            posted = post(context, tx, candidate, partial(context.composer.notice, facts), incident=number)
            outcomes["queued" if posted else "withheld"] += 1
    return NotifiedColleagues(queued=outcomes["queued"], withheld=outcomes["withheld"], left=outcomes["left"])


def _candidate(context: Context, incident: Incident, one: Affected) -> Candidate:
    owner = find_owner(context.owners, one.sender)
    # No cause: a recent reply about the same cause must not stop the all-clear.
    return Candidate(
        kind=LetterKind.REPLY,
        to=one.sender,
        known_robot=owner is not None and owner.knows_as_unread(one.sender),
        event_key=f"allclear:{incident.number}:{incident.reopened}:{one.sender}",
        evidence=one.evidence,
        received_at=context.clock(),
    )
