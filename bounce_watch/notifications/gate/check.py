"""Decide whether a message may be written, before it enters the outbox: replies, alerts, digests, probes.

The configuration authorizes recipients; a received message never does. RFC 3834 governs automatic replies.
Ours are new messages to the original sender, so a null sender on the report is expected.
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
class _Request:
    candidate: Candidate
    past: Past
    policy: Policy
    now: datetime

    @property
    def to(self) -> str:
        return self.candidate.to or ""


def check(candidate: Candidate, past: Past, policy: Policy, now: datetime) -> Allowed | Refused:
    """Decide whether a message may be written; the first check that applies decides.

    Alerts and digests go to configured addresses, which must be plain, and are not repeated.
    A probe goes to the address that the admin names, but never to ourselves or beyond the rate limits.
    Replies must pass every check; in preview they are allowed on hold.
    """
    request = _Request(candidate, past, policy, now)
    for reason, applies in _CHECKS[candidate.kind]:
        if applies(request):
            return Refused(reason=reason, text=SENTENCES[reason])
    return Allowed(hold=candidate.kind is LetterKind.REPLY and _is_held(request))


def refuse_at_once(candidate: Candidate, policy: Policy, now: datetime) -> Refused | None:
    """Return a refusal that does not depend on earlier messages, None if there is none."""
    request = _Request(candidate, Past(), policy, now)
    for reason, applies in _CHECKS[candidate.kind]:
        if reason in _OF_THE_PAST:
            return None
        if applies(request):
            return Refused(reason=reason, text=SENTENCES[reason])
    return None


def examine(
    candidate: Candidate, past: Past, policy: Policy, now: datetime
) -> tuple[tuple[Reason, bool], ...]:
    """Return every check of a reply, in order, with whether it applies, to explain the decision."""
    request = _Request(candidate, past, policy, now)
    return tuple((reason, applies(request)) for reason, applies in _FOR_REPLIES)


def _is_held(request: _Request) -> bool:
    until, received = request.past.backlog_until, request.candidate.received_at
    is_backlog = until is not None and received is not None and received < until
    return is_backlog or request.policy.mode is Mode.PREVIEW


def _own_bounce(request: _Request) -> bool:
    candidate = request.candidate
    return candidate.own_mark or _same(candidate.original_sender, request.policy.from_address)


def _not_a_report(request: _Request) -> bool:
    return request.candidate.report_kind not in (Kind.FAILURE, Kind.DELAY, Kind.SUCCESS)


def _not_a_failure(request: _Request) -> bool:
    candidate = request.candidate
    return candidate.report_kind is not Kind.FAILURE or candidate.action is not Action.FAILED


def _evidence(request: _Request) -> bool:
    return request.candidate.evidence not in request.policy.site.accepted_evidence


def _not_plain_address(request: _Request) -> bool:
    # A bang path is a dot-atom in RFC 5321, but some hosts still route by it.
    return not is_deliverable(request.to) or "!" in request.to


def _outside_domain(request: _Request) -> bool:
    return domain_of(request.to) not in request.policy.site.accepted_domains


def _own_address(request: _Request) -> bool:
    own = {address.lower() for address in request.policy.site.own_addresses}
    return request.to.lower() in own or _same(request.to, request.policy.from_address)


def _never_to(request: _Request) -> bool:
    return request.to.lower() in {address.lower() for address in request.policy.never_to}


def _robot(request: _Request) -> bool:
    return request.candidate.known_robot or is_robot(request.to)


def _self_addressed(request: _Request) -> bool:
    # A copy to oneself is common; only a message to no other recipient suggests a machine.
    candidate = request.candidate
    ours = {address.lower() for address in request.policy.site.own_addresses}
    ours |= {request.to.lower(), (candidate.original_sender or request.to).lower()}
    recipients = candidate.original_recipients
    return bool(recipients) and all(address.lower() in ours for address in recipients)


def _recently_told(request: _Request) -> bool:
    last = request.past.last_reply_at
    return last is not None and request.now - last < request.policy.again_after


def _rate_limit(request: _Request) -> bool:
    past, policy = request.past, request.policy
    return past.mails_last_minute >= policy.per_minute or past.mails_last_hour >= policy.per_hour


def _too_old(request: _Request) -> bool:
    received = request.candidate.received_at
    return received is None or request.now - received > request.policy.not_older_than


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.lower() == other.lower()


_Check = Callable[[_Request], bool]

_FOR_REPLIES: tuple[tuple[Reason, _Check], ...] = (
    (Reason.OWN_BOUNCE, _own_bounce),
    (Reason.NOT_A_REPORT, _not_a_report),
    (Reason.NOT_A_FAILURE, _not_a_failure),
    (Reason.EVIDENCE, _evidence),
    (Reason.NOT_PLAIN_ADDRESS, _not_plain_address),
    (Reason.OUTSIDE_DOMAIN, _outside_domain),
    (Reason.REWRITTEN_ADDRESS, lambda request: is_rewritten(request.to)),
    (Reason.OWN_ADDRESS, _own_address),
    (Reason.NEVER_TO, _never_to),
    (Reason.ROBOT, _robot),
    (Reason.AUTOMATIC_ORIGINAL, lambda request: bool(request.candidate.automatic)),
    (Reason.SELF_ADDRESSED, _self_addressed),
    (Reason.TOO_OLD, _too_old),
    (Reason.SWITCHED_OFF, lambda request: request.policy.mode is Mode.OFF),
    (Reason.REPEATED, lambda request: request.past.event_key_known),
    (Reason.RECENTLY_TOLD, _recently_told),
    (Reason.PERSON_LIMIT, lambda q: q.past.replies_to_person_24h >= q.policy.per_person_per_day),
    (Reason.BREAKER, lambda request: request.past.breaker_latched),
    (Reason.RATE_LIMIT, _rate_limit),
)

_FOR_ADMINS: tuple[tuple[Reason, _Check], ...] = (
    (Reason.NOT_PLAIN_ADDRESS, _not_plain_address),
    (Reason.REPEATED, lambda request: request.past.event_key_known),
)

_FOR_PROBES: tuple[tuple[Reason, _Check], ...] = (
    (Reason.NOT_PLAIN_ADDRESS, _not_plain_address),
    (Reason.OWN_ADDRESS, _own_address),
    (Reason.REPEATED, lambda request: request.past.event_key_known),
    (Reason.BREAKER, lambda request: request.past.breaker_latched),
    (Reason.RATE_LIMIT, _rate_limit),
)

_OF_THE_PAST = frozenset(
    {Reason.REPEATED, Reason.RECENTLY_TOLD, Reason.PERSON_LIMIT, Reason.BREAKER, Reason.RATE_LIMIT}
)
"""Reasons that depend on earlier messages; they come last among the checks of a kind."""

_CHECKS = dict.fromkeys(LetterKind, _FOR_ADMINS)
_CHECKS |= {LetterKind.REPLY: _FOR_REPLIES, LetterKind.PROBE: _FOR_PROBES}
