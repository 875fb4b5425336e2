"""A scripted fortnight after six quiet weeks: every rule opens what was planted for it, and nothing else."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from bounce_watch.detect import Replayed, replay
from bounce_watch.model import Cause, Event, Evidence, Side
from tests.detect.events import ACCEPTED, OURS, RULES

START = datetime(2026, 1, 5, tzinfo=UTC)
PLANTED = START + timedelta(weeks=6, days=2, hours=10)
END = START + timedelta(weeks=8)
ORDINARY = (
    *[(Cause.RECIPIENT_UNKNOWN, "5.1.1")] * 5,
    *[(Cause.MAILBOX_FULL, "5.2.2")] * 3,
    *[(Cause.SPAM_DETECTED, "5.7.1")] * 2,
    (Cause.DOMAIN_NOT_FOUND, "5.1.2"),
    (Cause.MESSAGE_TOO_LARGE, "5.3.4"),
    (Cause.NOT_AUTHORISED, "5.7.124"),
    (Cause.UNKNOWN, "5.0.0"),
)


def bounce(number: int, at: datetime, **changes: Any) -> Event:
    values: dict[str, Any] = {
        "bounce_id": number,
        "message_id": number,
        "occurred_at": at,
        "cause": Cause.RECIPIENT_UNKNOWN,
        "status": "5.1.1",
        "side": Side.OURS if changes.get("cause") in OURS else Side.THEIRS,
        "evidence": Evidence.INTERNAL,
        "sender": f"person{number % 97}@contoso.example",
        "sender_domain": "contoso.example",
        "recipient": f"somebody@partner{number}.example",
        "recipient_domain": f"partner{number}.example",
    }
    return Event(**{**values, **changes})


@cache
def quiet_weeks() -> tuple[Event, ...]:
    """Eight weeks of an ordinary organization: people at work, some fifteen mails a day that come back."""
    drawn = random.Random(20260105)
    events: list[Event] = []
    for day in range(56):
        morning = START + timedelta(days=day)
        for _ in range(drawn.randint(11, 19) if morning.weekday() < 5 else drawn.randint(0, 2)):
            at = morning + timedelta(hours=drawn.triangular(6, 20, 10))
            cause, status = drawn.choice(ORDINARY)
            number = len(events) + 1
            known = drawn.randrange(120)  # people write to the same places again
            events.append(
                bounce(
                    number,
                    at,
                    cause=cause,
                    status=status,
                    sender=f"person{drawn.randrange(80)}@contoso.example",
                    recipient=f"somebody{number % 31}@partner{known}.example",
                    recipient_domain=f"partner{known}.example",
                )
            )
    return tuple(events)


def play(*planted: Event) -> tuple[Replayed, ...]:
    events = [*quiet_weeks(), *planted]
    return replay(list(RULES.values()), events, accepted=ACCEPTED, zone=UTC, until=END)


def many(count: int, minutes: float, change: Callable[[int], dict[str, Any]]) -> list[Event]:
    """So many bounces, one each so many minutes, each as `change` says."""
    step = timedelta(minutes=minutes)
    return [bounce(100_000 + n, PLANTED + n * step, **change(n)) for n in range(count)]


ANNA = "anna@contoso.example"
DOMAIN = {"recipient_domain": "strict.example", "recipient": "desk@strict.example"}
PLANTS: dict[str, tuple[str, list[Event]]] = {
    "sender_blocked": (
        ANNA,
        many(2, 30, lambda n: {"cause": Cause.SENDER_BLOCKED, "status": "5.1.8", "sender": ANNA}),
    ),
    "tenant_blocked": ("tenant", many(3, 5, lambda n: {"cause": Cause.TENANT_BLOCKED, "status": "5.7.705"})),
    "spf_many_senders": (
        "contoso.example",
        many(6, 20, lambda n: {"cause": Cause.SPF_FAILED, "status": "5.7.23"}),
    ),
    "domain_unreachable": (
        "strict.example",
        many(4, 90, lambda n: {"cause": Cause.MESSAGE_EXPIRED, "status": "4.4.7", **DOMAIN}),
    ),
    "domain_refusing_us": (
        "strict.example",
        many(4, 90, lambda n: {"cause": Cause.POLICY_REJECTED, "status": "5.7.1", **DOMAIN}),
    ),
    "takeover_precursor": (ANNA, many(18, 1.5, lambda n: {"sender": ANNA})),
    "sender_burst": (ANNA, many(18, 4, lambda n: {"sender": ANNA, "cause": Cause.CONTENT_REJECTED})),
    "mail_loop": (
        "loop.example",
        many(1, 1, lambda n: {"cause": Cause.MAIL_LOOP, "recipient_domain": "loop.example"}),
    ),
    "sender_quota": (ANNA, many(1, 1, lambda n: {"cause": Cause.SENDER_QUOTA_EXCEEDED, "sender": ANNA})),
    "forwarding_disabled": (ANNA, many(1, 1, lambda n: {"cause": Cause.FORWARDING_DISABLED, "sender": ANNA})),
    "blocklisted": ("tenant", many(6, 60, lambda n: {"cause": Cause.BLOCKED_REPUTATION, "status": "5.7.1"})),
    "relay_fault": (
        "tenant",
        many(5, 20, lambda n: {"cause": Cause.RELAY_DENIED, "status": "5.7.64", "side": Side.OURS}),
    ),
    "device_not_authenticated": (
        "scanner@contoso.example",
        many(4, 60, lambda n: {"cause": Cause.CLIENT_NOT_AUTHENTICATED, "sender": "scanner@contoso.example"}),
    ),
    "group_restricted": (
        "all@contoso.example",
        many(
            5,
            120,
            lambda n: {
                "cause": Cause.NOT_AUTHORISED,
                "side": Side.OURS,
                "recipient": "all@contoso.example",
                "recipient_domain": "contoso.example",
            },
        ),
    ),
    "size_cluster": (
        "strict.example",
        many(5, 90, lambda n: {"cause": Cause.MESSAGE_TOO_LARGE, "status": "5.3.4", **DOMAIN}),
    ),
    "resend_loop": (
        f"{ANNA} to desk@strict.example",
        many(9, 100, lambda n: {"sender": ANNA, "cause": Cause.CONTENT_REJECTED, **DOMAIN}),
    ),
    "stale_address": (
        "left@partner.example",
        many(6, 1200, lambda n: {"recipient": "left@partner.example", "recipient_domain": "partner.example"}),
    ),
    "backscatter_wave": ("tenant", many(60, 2, lambda n: {"evidence": Evidence.UNVERIFIED})),
    "unknown_rising": ("tenant", many(7, 8, lambda n: {"cause": Cause.UNKNOWN, "status": "5.0.0"})),
    "volume_anomaly": ("mailbox_full", many(14, 4, lambda n: {"cause": Cause.MAILBOX_FULL})),
}


def test_nothing_opens_in_the_quiet_weeks() -> None:
    assert [(one.finding.rule_id, one.finding.key, one.opened_at) for one in play()] == []


@pytest.mark.parametrize("rule", PLANTS)
def test_a_rule_opens_exactly_what_was_planted_for_it(rule: str) -> None:
    """An incident that another one explains may exist too, but it causes no alert."""
    key, planted = PLANTS[rule]
    found = play(*planted)
    assert [(one.finding.rule_id, one.finding.key) for one in found if not one.suppressed_by] == [(rule, key)]
    (told,) = (one for one in found if not one.suppressed_by)
    assert PLANTED <= told.opened_at <= planted[-1].occurred_at
    assert told.resolved_at is not None
    assert told.mails <= 4


def test_a_feed_that_falls_silent_is_noticed_and_its_return_too() -> None:
    hole = PLANTED, PLANTED + timedelta(days=5)
    events = [event for event in quiet_weeks() if not hole[0] <= event.occurred_at <= hole[1]]
    found = replay(list(RULES.values()), events, accepted=ACCEPTED, zone=UTC, until=END)
    assert [one.finding.rule_id for one in found] == ["feed_silent"]
    assert hole[0] + timedelta(hours=6) <= found[0].opened_at <= hole[0] + timedelta(hours=73)
    assert found[0].resolved_at is not None
    assert found[0].resolved_at >= hole[1]


def test_all_of_it_at_once_opens_each_planted_incident() -> None:
    """The whole fortnight: plants of different rules, an hour and a half apart, hide none of the others."""
    everything = []
    for place, (_, planted) in enumerate(PLANTS.values()):
        shift = timedelta(hours=11 * place)
        everything += [
            bounce(
                200_000 + 1_000 * place + number,
                event.occurred_at + shift,
                cause=event.cause,
                status=event.status,
                side=event.side,
                evidence=event.evidence,
                sender=event.sender,
                recipient=event.recipient,
                recipient_domain=event.recipient_domain,
            )
            for number, event in enumerate(planted)
        ]
    opened = {(one.finding.rule_id, one.finding.key) for one in play(*everything)}
    assert {(rule, key) for rule, (key, _) in PLANTS.items()} <= opened


@pytest.mark.parametrize("shuffled", [1, 2])
def test_late_arrivals_change_nothing(shuffled: int) -> None:
    """Events are played by their own time, in whatever order they came in."""
    events = [*quiet_weeks(), *PLANTS["spf_many_senders"][1]]
    mixed = random.Random(shuffled).sample(events, len(events))
    rules = list(RULES.values())
    first = replay(rules, events, accepted=ACCEPTED, zone=UTC, until=END)
    assert replay(rules, mixed, accepted=ACCEPTED, zone=UTC, until=END) == first


def test_an_incident_that_comes_back_soon_is_the_same_one() -> None:
    planted = PLANTS["spf_many_senders"][1]
    again = [
        bounce(300_000 + n, event.occurred_at + timedelta(days=1, hours=20), cause=event.cause)
        for n, event in enumerate(planted)
    ]
    later = [
        bounce(310_000 + n, event.occurred_at + timedelta(days=8), cause=event.cause)
        for n, event in enumerate(planted)
    ]
    found = [one for one in play(*planted, *again, *later) if one.finding.rule_id == "spf_many_senders"]
    assert [one.reopened for one in found] == [1, 0]
