"""May this mail be written? One pure function in front of the outbox, for replies, alerts and digests.

The configuration authorises a recipient, never the mail. RFC 3834 governs automatic answers; ours are new
messages to the bounced author, so a null sender on the report is expected and the recipient is what counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bounce_watch.model import Action, Kind, LetterKind
from bounce_watch.model.address import domain_of, is_deliverable
from bounce_watch.notifications.gate.robots import is_rewritten, is_robot
from bounce_watch.notifications.gate.values import (
    SENTENCES,
    Allowed,
    Candidate,
    Mode,
    Past,
    Policy,
    Reason,
    Refused,
)


@dataclass(frozen=True, slots=True)
class _Question:
    candidate: Candidate
    past: Past
    policy: Policy
    now: datetime

    @property
    def to(self) -> str:
        return self.candidate.to or ""


def check(candidate: Candidate, past: Past, policy: Policy, now: datetime) -> Allowed | Refused:
    """Decide whether a letter may be written; the first check that hits wins.

    Alerts and digests go to addresses of the configuration: they must be plain and not repeated.
    A probe goes where the admin says, so that it comes back: never to ourselves, and not in a storm.
    Replies pass every check; in preview they are allowed on hold.
    """
    question = _Question(candidate, past, policy, now)
    for reason, hits in _CHECKS[candidate.kind]:
        if hits(question):
            return Refused(reason=reason, text=SENTENCES[reason])
    return Allowed(hold=candidate.kind is LetterKind.REPLY and _is_held(question))


def refuse_at_once(candidate: Candidate, policy: Policy, now: datetime) -> Refused | None:
    """Return the refusal that stands whatever was written before, None when the past has a say."""
    question = _Question(candidate, Past(), policy, now)
    for reason, hits in _CHECKS[candidate.kind]:
        if reason in _OF_THE_PAST:
            return None
        if hits(question):
            return Refused(reason=reason, text=SENTENCES[reason])
    return None


def examine(
    candidate: Candidate, past: Past, policy: Policy, now: datetime
) -> tuple[tuple[Reason, bool], ...]:
    """Return every check of a reply, in order, with whether it hits: for a person who asks why."""
    question = _Question(candidate, past, policy, now)
    return tuple((reason, hits(question)) for reason, hits in _FOR_REPLIES)


def _is_held(question: _Question) -> bool:
    until, received = question.past.backlog_until, question.candidate.received_at
    is_backlog = until is not None and received is not None and received < until
    return is_backlog or question.policy.mode is Mode.PREVIEW


def _own_bounce(question: _Question) -> bool:
    candidate = question.candidate
    return candidate.own_mark or _same(candidate.original_sender, question.policy.from_address)


def _not_a_report(question: _Question) -> bool:
    return question.candidate.report_kind not in (Kind.FAILURE, Kind.DELAY, Kind.SUCCESS)


def _not_a_failure(question: _Question) -> bool:
    candidate = question.candidate
    return candidate.report_kind is not Kind.FAILURE or candidate.action is not Action.FAILED


def _evidence(question: _Question) -> bool:
    return question.candidate.evidence not in question.policy.site.accepted_evidence


def _not_plain_address(question: _Question) -> bool:
    # A bang path is a dot-atom for RFC 5321, but some hosts still route by it.
    return not is_deliverable(question.to) or "!" in question.to


def _outside_domain(question: _Question) -> bool:
    return domain_of(question.to) not in question.policy.site.accepted_domains


def _own_address(question: _Question) -> bool:
    own = {address.lower() for address in question.policy.site.own_addresses}
    return question.to.lower() in own or _same(question.to, question.policy.from_address)


def _never_to(question: _Question) -> bool:
    return question.to.lower() in {address.lower() for address in question.policy.never_to}


def _robot(question: _Question) -> bool:
    return question.candidate.known_robot or is_robot(question.to)


def _self_addressed(question: _Question) -> bool:
    # A copy to oneself beside other people is common; only a mail to nobody else is a sign of a machine.
    candidate = question.candidate
    ours = {address.lower() for address in question.policy.site.own_addresses}
    ours |= {question.to.lower(), (candidate.original_sender or question.to).lower()}
    recipients = candidate.original_recipients
    return bool(recipients) and all(address.lower() in ours for address in recipients)


def _recently_told(question: _Question) -> bool:
    last = question.past.last_reply_at
    return last is not None and question.now - last < question.policy.again_after


def _rate_limit(question: _Question) -> bool:
    past, policy = question.past, question.policy
    return past.mails_last_minute >= policy.per_minute or past.mails_last_hour >= policy.per_hour


def _too_old(question: _Question) -> bool:
    received = question.candidate.received_at
    return received is None or question.now - received > question.policy.not_older_than


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.lower() == other.lower()


_Check = Callable[[_Question], bool]

_FOR_REPLIES: tuple[tuple[Reason, _Check], ...] = (
    (Reason.OWN_BOUNCE, _own_bounce),
    (Reason.NOT_A_REPORT, _not_a_report),
    (Reason.NOT_A_FAILURE, _not_a_failure),
    (Reason.EVIDENCE, _evidence),
    (Reason.NOT_PLAIN_ADDRESS, _not_plain_address),
    (Reason.OUTSIDE_DOMAIN, _outside_domain),
    (Reason.REWRITTEN_ADDRESS, lambda question: is_rewritten(question.to)),
    (Reason.OWN_ADDRESS, _own_address),
    (Reason.NEVER_TO, _never_to),
    (Reason.ROBOT, _robot),
    (Reason.AUTOMATIC_ORIGINAL, lambda question: bool(question.candidate.automatic)),
    (Reason.SELF_ADDRESSED, _self_addressed),
    (Reason.TOO_OLD, _too_old),
    (Reason.SWITCHED_OFF, lambda question: question.policy.mode is Mode.OFF),
    (Reason.REPEATED, lambda question: question.past.event_key_known),
    (Reason.RECENTLY_TOLD, _recently_told),
    (Reason.PERSON_LIMIT, lambda q: q.past.replies_to_person_24h >= q.policy.per_person_per_day),
    (Reason.BREAKER, lambda question: question.past.breaker_latched),
    (Reason.RATE_LIMIT, _rate_limit),
)

_FOR_ADMINS: tuple[tuple[Reason, _Check], ...] = (
    (Reason.NOT_PLAIN_ADDRESS, _not_plain_address),
    (Reason.REPEATED, lambda question: question.past.event_key_known),
)

_FOR_PROBES: tuple[tuple[Reason, _Check], ...] = (
    (Reason.NOT_PLAIN_ADDRESS, _not_plain_address),
    (Reason.OWN_ADDRESS, _own_address),
    (Reason.REPEATED, lambda question: question.past.event_key_known),
    (Reason.BREAKER, lambda question: question.past.breaker_latched),
    (Reason.RATE_LIMIT, _rate_limit),
)

_OF_THE_PAST = frozenset(
    {Reason.REPEATED, Reason.RECENTLY_TOLD, Reason.PERSON_LIMIT, Reason.BREAKER, Reason.RATE_LIMIT}
)
"""Reasons that need to know what was written before; of a kind's checks they come last."""

_CHECKS = dict.fromkeys(LetterKind, _FOR_ADMINS)
_CHECKS |= {LetterKind.REPLY: _FOR_REPLIES, LetterKind.PROBE: _FOR_PROBES}
