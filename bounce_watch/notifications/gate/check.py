"""Decide whether a message may be written, before it enters the outbox: replies, alerts, digests, probes.

The configuration authorizes recipients; a received message never does. RFC 3834 governs automatic replies.
Ours are new messages to the original sender, so a null sender on the report is expected.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bounce_watch.model import GUIDANCE, Action, Kind, LetterKind
from bounce_watch.model.address import domain_of, is_deliverable, without_detail
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

_OF_THE_PAST = frozenset(
    {Reason.REPEATED, Reason.RECENTLY_TOLD, Reason.PERSON_LIMIT, Reason.BREAKER, Reason.RATE_LIMIT}
)
"""Reasons that depend on earlier messages; they come last among the checks."""

_FOR_ADMINS = frozenset({Reason.NOT_PLAIN_ADDRESS, Reason.REPEATED})
_REASONS = dict.fromkeys(LetterKind, _FOR_ADMINS) | {
    LetterKind.REPLY: frozenset(Reason),
    LetterKind.QUESTION: _FOR_ADMINS | {Reason.OUTSIDE_DOMAIN, Reason.REWRITTEN_ADDRESS},
    LetterKind.CONFIRMATION: _FOR_ADMINS | {Reason.OUTSIDE_DOMAIN},
    LetterKind.PROBE: _FOR_ADMINS | {Reason.OWN_ADDRESS, Reason.BREAKER, Reason.RATE_LIMIT},
    # What it is about passed the checks of a reply; an owner may be an admin or a role address.
    LetterKind.OWNER: _FOR_ADMINS
    | {Reason.OUTSIDE_DOMAIN, Reason.NEVER_TO, Reason.SWITCHED_OFF, Reason.BREAKER, Reason.RATE_LIMIT},
}
"""Reasons for which a message of a kind is refused."""
_CLOCKS_DIFFER = timedelta(days=1)
"""A time that is later than this from now is not true."""


def check(candidate: Candidate, past: Past, policy: Policy, now: datetime) -> Allowed | Refused:
    """Decide whether a message may be written; the first check that applies decides.

    Alerts and digests go to configured addresses, which must be plain, and are not repeated.
    So are questions and confirmations, which go only to accepted domains.
    A probe goes to the address that the admin names, but never to ourselves or beyond the rate limits.
    An owner's letter goes to configured addresses in accepted domains, within the rate limits.
    Replies must pass every check. In preview, replies and owners' letters are allowed on hold.
    """
    for reason, applies in _checks(candidate, past, policy, now):
        if applies and reason in _REASONS[candidate.kind]:
            return Refused(reason=reason, text=SENTENCES[reason])
    is_backlog = _is_earlier(candidate.received_at, past.backlog_until)
    return Allowed(hold=candidate.kind in GUIDANCE and (is_backlog or policy.mode is Mode.PREVIEW))


def refuse_at_once(candidate: Candidate, policy: Policy, now: datetime) -> Refused | None:
    """Return a refusal that does not depend on earlier messages, None if there is none."""
    verdict = check(candidate, Past(), policy, now)
    return verdict if isinstance(verdict, Refused) and verdict.reason not in _OF_THE_PAST else None


def examine(
    candidate: Candidate, past: Past, policy: Policy, now: datetime
) -> tuple[tuple[Reason, bool], ...]:
    """Return every check of a reply, in order, with whether it applies, to explain the decision."""
    return tuple(_checks(candidate, past, policy, now))


def _checks(candidate: Candidate, past: Past, policy: Policy, now: datetime) -> Iterator[tuple[Reason, bool]]:
    """Yield each reason against a reply, in order, with whether it applies."""
    to, sender = candidate.to or "", candidate.original_sender
    is_failure = candidate.report_kind is Kind.FAILURE and candidate.action is Action.FAILED
    us = {address.lower() for address in (*policy.site.own_addresses, policy.from_address)}
    yield Reason.OWN_BOUNCE, candidate.own_mark or _same(sender, policy.from_address)
    yield Reason.NOT_A_REPORT, candidate.report_kind not in (Kind.FAILURE, Kind.DELAY, Kind.SUCCESS)
    yield Reason.NOT_A_FAILURE, not is_failure
    yield Reason.BACKSCATTER, candidate.disowned and policy.site.is_ours(sender)
    yield Reason.EVIDENCE, candidate.evidence not in policy.site.accepted_evidence
    # A bang path is a dot-atom in RFC 5321, but some hosts still route by it.
    yield Reason.NOT_PLAIN_ADDRESS, not is_deliverable(to) or "!" in to
    yield Reason.OUTSIDE_DOMAIN, domain_of(to) not in policy.site.accepted_domains
    yield Reason.REWRITTEN_ADDRESS, is_rewritten(to)
    names = {to.lower(), without_detail(to).lower()}
    yield Reason.OWN_ADDRESS, bool(names & us)
    yield Reason.NEVER_TO, bool(names & {address.lower() for address in policy.never_to})
    yield Reason.ROBOT, candidate.known_robot or is_robot(to)
    yield Reason.AUTOMATIC_ORIGINAL, bool(candidate.automatic)
    yield Reason.SELF_ADDRESSED, _is_self_addressed(candidate, policy)
    yield Reason.TOO_OLD, _is_too_old(candidate, policy, now)
    yield Reason.SWITCHED_OFF, policy.mode is Mode.OFF
    yield Reason.REPEATED, past.event_key_known
    yield Reason.RECENTLY_TOLD, _is_earlier(now - policy.again_after, past.last_reply_at)
    yield Reason.PERSON_LIMIT, past.replies_to_person_24h >= policy.per_person_per_day
    yield Reason.BREAKER, past.breaker_latched
    yield (
        Reason.RATE_LIMIT,
        past.mails_last_minute >= policy.per_minute or past.mails_last_hour >= policy.per_hour,
    )


def _is_too_old(candidate: Candidate, policy: Policy, now: datetime) -> bool:
    """Go by the older of arrival and Date: in a mailbox that was copied old mail has just arrived."""
    times = (candidate.received_at, candidate.dated_at)
    past = [time for time in times if time is not None and time <= now + _CLOCKS_DIFFER]
    return not past or now - min(past) > policy.not_older_than


def _is_self_addressed(candidate: Candidate, policy: Policy) -> bool:
    # A copy to oneself is common; only a message to no other recipient suggests a machine.
    to = candidate.to or ""
    ours = {address.lower() for address in (*policy.site.own_addresses, to, candidate.original_sender or to)}
    recipients = candidate.original_recipients
    return bool(recipients) and all(address.lower() in ours for address in recipients)


def _is_earlier(moment: datetime | None, other: datetime | None) -> bool:
    return moment is not None and other is not None and moment < other


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.lower() == other.lower()
