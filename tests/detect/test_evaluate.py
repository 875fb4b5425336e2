"""Sliding windows over event time: what fires, what does not, and when it is quiet."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bounce_watch.detect import adds_nothing, evaluate, is_quiet, key_of
from bounce_watch.detect.threshold import MAX_EVIDENCE
from bounce_watch.model import Cause, Certainty, Event, Evidence, Owner, Severity, Side
from tests.detect.events import ACCEPTED, NOON, RULES, event, rule

KEY = "contoso.example"
LATER = NOON + timedelta(hours=3)
COUNT = {"shape": '"count"', "distinct": None}


def test_a_rule_fires_when_enough_different_senders_fall_into_one_window() -> None:
    found = evaluate(rule(), KEY, [event(1), event(2, minutes=30), event(3, minutes=90)], LATER)
    assert found is not None
    assert (found.rule_id, found.key, found.fingerprint) == ("probe", KEY, f"probe:{KEY}")
    assert (found.first_at, found.last_at) == (NOON, NOON + timedelta(minutes=90))
    assert found.senders == ("person1@contoso.example", "person2@contoso.example", "person3@contoso.example")
    assert found.recipient_domains == ("partner1.example", "partner2.example", "partner3.example")
    assert (found.messages, found.statuses, found.events) == (3, ("5.7.23",), (1, 2, 3))
    assert (found.severity, found.owner, found.playbook) == (
        Severity.HIGH,
        Owner.MAIL_ADMIN,
        "spf_dkim_dmarc",
    )


def test_one_sender_many_times_is_not_many_senders() -> None:
    events = [event(number, sender="anna@contoso.example") for number in range(1, 9)]
    assert evaluate(rule(), KEY, events, LATER) is None


def test_letter_case_makes_no_new_sender() -> None:
    """Exchange tells no letter cases apart, so Anna and anna are one person."""
    senders = ["anna@contoso.example", "Anna@contoso.example", "ANNA@contoso.example"]
    events = [event(number, sender=sender) for number, sender in enumerate(senders, 1)]
    assert evaluate(rule(), KEY, events, LATER) is None


@pytest.mark.parametrize(
    ("minutes", "fires"),
    [
        pytest.param(119, True, id="inside"),
        pytest.param(120, True, id="exactly the window"),
        pytest.param(120.1, False, id="just outside"),
    ],
)
def test_a_window_includes_events_exactly_its_length_apart(minutes: float, fires: bool) -> None:
    events = [event(1), event(2, minutes=60), event(3, minutes=minutes)]
    assert (evaluate(rule(), KEY, events, LATER) is not None) is fires


def test_windows_slide_instead_of_starting_at_full_hours() -> None:
    """Three events around an hour's turn belong together; a fixed bucket would cut them apart."""
    events = [event(1, minutes=-5), event(2, minutes=0), event(3, minutes=5)]
    assert evaluate(rule(window='"10m"'), KEY, events, LATER) is not None


def test_messages_are_counted_not_recipient_rows() -> None:
    """One mail to twelve people that fails twelve times is one message."""
    one_mail = [event(number, message_id=7) for number in range(1, 13)]
    assert evaluate(rule(open_at="2", **COUNT), KEY, one_mail, LATER) is None
    found = evaluate(rule(open_at="2", **COUNT), KEY, [*one_mail, event(99)], LATER)
    assert found is not None
    assert found.messages == 2


def test_the_largest_window_is_told_not_the_last() -> None:
    burst = [event(number, minutes=number) for number in range(1, 7)]
    echo = [event(number, minutes=600 + number) for number in range(7, 10)]
    found = evaluate(rule(), KEY, burst + echo, NOON + timedelta(hours=12))
    assert found is not None
    assert found.events == (1, 2, 3, 4, 5, 6)


def test_of_equal_windows_the_newest_is_told() -> None:
    events = [event(number, minutes=number + (600 if number > 3 else 0)) for number in range(1, 7)]
    found = evaluate(rule(), KEY, events, NOON + timedelta(hours=12))
    assert found is not None
    assert found.events == (4, 5, 6)


def test_a_late_arrival_completes_the_window_it_belongs_to() -> None:
    """The third report of a burst arrives after a newer, lonely one."""
    events = [event(1), event(2, minutes=10), event(9, minutes=900)]
    now = NOON + timedelta(hours=16)
    assert evaluate(rule(), KEY, events, now) is None
    found = evaluate(rule(), KEY, [*events, event(3, minutes=20)], now)
    assert found is not None
    assert (found.events, found.last_at) == ((1, 2, 3), NOON + timedelta(minutes=20))


def test_the_order_in_which_events_are_given_does_not_matter() -> None:
    events = [event(number, minutes=number * 7) for number in range(1, 9)]
    assert evaluate(rule(), KEY, events, LATER) == evaluate(rule(), KEY, events[::-1], LATER)


def test_a_new_incident_is_not_hidden_by_a_larger_old_one() -> None:
    """Events further apart than the quiet time are different incidents: the newest that fires is told."""
    march = [event(number, minutes=number) for number in range(1, 20)]
    april = [event(number, minutes=43_200 + number) for number in range(20, 24)]
    found = evaluate(rule(), KEY, march + april, NOON + timedelta(days=31))
    assert found is not None
    assert found.events == (20, 21, 22, 23)


def test_a_single_event_later_does_not_hide_an_incident_that_nobody_saw() -> None:
    """A backlog read at one go: the burst of Tuesday is told although a stray event came on Friday."""
    burst = [event(number, minutes=number) for number in range(1, 5)]
    found = evaluate(rule(), KEY, [*burst, event(9, minutes=4_320)], NOON + timedelta(days=4))
    assert found is not None
    assert found.last_at == NOON + timedelta(minutes=4)


def test_a_date_in_the_future_counts_as_now() -> None:
    """A wrong clock neither hides an event nor moves the window away from the others."""
    now = NOON + timedelta(minutes=30)
    found = evaluate(rule(), KEY, [event(1), event(2, minutes=10), event(3, minutes=90_000)], now)
    assert found is not None
    assert found.last_at == now


@pytest.mark.parametrize(
    ("least", "fires"),
    [
        pytest.param("{ messages = 4 }", True, id="messages reached"),
        pytest.param("{ messages = 5 }", False, id="messages missed"),
        pytest.param("{ recipient_domains = 4 }", True, id="domains reached"),
        pytest.param("{ recipient_domains = 5 }", False, id="domains missed"),
        pytest.param("{ senders = 4 }", True, id="senders reached"),
        pytest.param("{ senders = 5 }", False, id="senders missed"),
        pytest.param("{ messages = 4, senders = 5 }", False, id="only one reached"),
    ],
)
def test_a_window_must_hold_its_minimum_besides(least: str, fires: bool) -> None:
    events = [event(number) for number in range(1, 5)]
    assert (evaluate(rule(also_min=least), KEY, events, LATER) is not None) is fires


def test_evidence_is_capped_at_the_newest_bounces() -> None:
    events = [event(number, minutes=number / 10) for number in range(1, 501)]
    found = evaluate(rule(), KEY, events, LATER)
    assert found is not None
    assert (len(found.events), found.events[-1], found.messages) == (MAX_EVIDENCE, 500, 500)


def test_without_events_nothing_fires() -> None:
    assert evaluate(rule(), KEY, [], LATER) is None


@pytest.mark.parametrize("evidence", [*(tier for tier in Evidence if tier not in ACCEPTED), None], ids=str)
def test_unaccepted_evidence_never_moves_a_threshold(evidence: Evidence | None) -> None:
    assert key_of(rule(), event(1, evidence=evidence), ACCEPTED) is None


@pytest.mark.parametrize(
    ("group", "counts"),
    [
        ("sender", True),
        ("sender_and_recipient", True),
        ("sender_domain", False),
        ("recipient_domain", False),
        ("recipient", False),
        ("cause", False),
        ("tenant", False),
    ],
)
def test_what_a_member_forwarded_counts_about_this_member_only(group: str, counts: bool) -> None:
    accepted = ACCEPTED | {Evidence.MEMBER}
    forwarded = event(1, evidence=Evidence.MEMBER)
    assert (key_of(rule(group_by=f'"{group}"'), forwarded, accepted) is not None) is counts


def test_a_finding_is_confirmed_by_one_report_that_is_no_forward() -> None:
    by_sender = rule(group_by='"sender"', shape='"count"', distinct=None, open_at="1")
    forwarded = event(1, evidence=Evidence.MEMBER)
    (alone, both) = (
        evaluate(by_sender, KEY, events, LATER) for events in ([forwarded], [forwarded, event(2)])
    )
    assert alone is not None
    assert both is not None
    assert (alone.confirmed, both.confirmed) == (False, True)


def test_a_site_that_accepts_more_counts_more() -> None:
    both = ACCEPTED | {Evidence.CORRELATED}
    assert key_of(rule(), event(1, evidence=Evidence.CORRELATED), both) == KEY


@pytest.mark.parametrize(
    ("where", "changes", "looks"),
    [
        pytest.param('[{ cause = ["spf_failed"] }]', {}, True, id="cause"),
        pytest.param('[{ cause = ["dkim_failed"] }]', {}, False, id="another cause"),
        pytest.param('[{ code = ["5.7.23"] }]', {}, True, id="code"),
        pytest.param('[{ code = ["5.7.23"] }]', {"status": None}, False, id="no code"),
        pytest.param('[{ code = ["5.7.23"], side = "ours" }]', {}, False, id="code on the other side"),
        pytest.param('[{ code = ["5.7.23"], side = "ours" }]', {"side": Side.OURS}, True, id="code and side"),
        pytest.param('[{ side = "ours" }]', {"side": None}, False, id="side unknown"),
        pytest.param(
            '[{ certainty = ["told", "likely"] }]', {"certainty": Certainty.LIKELY}, True, id="likely"
        ),
        pytest.param(
            '[{ certainty = ["told"] }]', {"certainty": Certainty.NOT_TOLD}, False, id="a bare code"
        ),
        pytest.param('[{ certainty = ["told"] }]', {}, False, id="certainty unknown"),
        pytest.param('[{ cause = ["dkim_failed"] }, { code = ["5.7.23"] }]', {}, True, id="either"),
        pytest.param("[{}]", {"cause": Cause.UNKNOWN}, True, id="everything"),
    ],
)
def test_a_rule_looks_at_events_that_fit_any_of_its_conditions(
    where: str, changes: dict[str, Any], looks: bool
) -> None:
    assert (key_of(rule(where=where), event(1, **changes), ACCEPTED) is not None) is looks


@pytest.mark.parametrize(
    ("group", "key"),
    [
        ("sender", "person1@contoso.example"),
        ("sender_domain", "contoso.example"),
        ("recipient_domain", "partner1.example"),
        ("tenant", "tenant"),
    ],
)
def test_the_key_is_the_group_of_the_event(group: str, key: str) -> None:
    assert key_of(rule(group_by=f'"{group}"'), event(1), ACCEPTED) == key


def test_an_event_without_the_grouped_value_is_not_looked_at() -> None:
    assert key_of(rule(group_by='"sender"'), event(1, sender=None), ACCEPTED) is None


@pytest.mark.parametrize(
    ("hours", "quiet"),
    [pytest.param(23, False, id="within the quiet time"), pytest.param(27, True, id="after it")],
)
def test_a_rule_is_quiet_when_nothing_came_for_long_enough(hours: int, quiet: bool) -> None:
    events = [event(number, minutes=number * 30) for number in range(1, 5)]
    assert is_quiet(rule(), events, NOON + timedelta(hours=hours)) is quiet


def test_a_trickle_under_the_lower_level_counts_as_quiet() -> None:
    """Opened at four senders, resolved under two: a single sender a day keeps no incident open."""
    probe = rule(open_at="4")
    now = NOON + timedelta(hours=20)
    assert is_quiet(probe, [event(1)], now)
    assert not is_quiet(probe, [event(1), event(2, minutes=5)], now)


def test_no_events_at_all_are_quiet() -> None:
    assert is_quiet(rule(), [], NOON)


TAKEOVER = [
    event(
        number,
        minutes=number * 2,
        cause=Cause.RECIPIENT_UNKNOWN,
        status="5.1.10",
        sender="anna@contoso.example",
    )
    for number in range(1, 14)
]
FIRINGS = [
    ("sender_blocked", [event(1, cause=Cause.SENDER_BLOCKED, status="5.1.8", side=Side.OURS)]),
    ("sender_blocked", [event(1, cause=Cause.SENDER_BANNED, status="5.7.502")]),
    ("sender_blocked", [event(1, cause=Cause.UNKNOWN, status="5.7.501", side=Side.OURS)]),
    ("tenant_blocked", [event(1, cause=Cause.TENANT_BLOCKED, status="5.7.705")]),
    ("tenant_limit", [event(1, cause=Cause.TENANT_QUOTA_EXCEEDED, status="5.7.233")]),
    (
        "tls_failure",
        [
            event(n, cause=Cause.TLS_FAILURE, status="4.7.323", recipient_domain="dane.example")
            for n in range(2)
        ],
    ),
    (
        "bulk_sender_rules",
        [event(n, cause=Cause.TLS_FAILURE, status="5.7.29", side=Side.THEIRS) for n in range(3)],
    ),
    (
        "spf_many_senders",
        [event(n, cause=c) for n, c in enumerate([Cause.SPF_FAILED, Cause.DMARC_FAILED] * 2)],
    ),
    (
        "domain_unreachable",
        [event(n, cause=Cause.DOMAIN_NOT_FOUND, recipient_domain="gone.example") for n in range(3)],
    ),
    (
        "domain_refusing_us",
        [event(n, cause=Cause.BLOCKED_REPUTATION, recipient_domain="strict.example") for n in range(3)],
    ),
    ("takeover_precursor", TAKEOVER),
    ("sender_burst", [event(n, sender="anna@contoso.example", cause=Cause.UNKNOWN) for n in range(15)]),
    ("mail_loop", [event(1, cause=Cause.MAIL_LOOP, status="5.4.14")]),
    ("sender_quota", [event(1, cause=Cause.SENDER_QUOTA_EXCEEDED, status="5.1.90")]),
    ("forwarding_disabled", [event(1, cause=Cause.FORWARDING_DISABLED, status="5.7.520")]),
]


@pytest.mark.parametrize(
    ("name", "events"), FIRINGS, ids=[f"{name}-{len(events)}" for name, events in FIRINGS]
)
def test_a_shipped_rule_fires_on_what_it_is_for_and_not_on_one_event_less(
    name: str, events: list[Any]
) -> None:
    found = RULES[name]
    keys = {key_of(found, one, ACCEPTED) for one in events}
    assert len(keys) == 1
    key = keys.pop()
    assert key is not None
    assert evaluate(found, key, events, LATER) is not None
    assert evaluate(found, key, events[1:][: len(events) - 2], LATER) is None


def test_an_ordinary_day_fires_nothing() -> None:
    """Six people with a typo each, at different domains, are no incident."""
    day = [event(n, minutes=n * 60, cause=Cause.RECIPIENT_UNKNOWN, status="5.1.10") for n in range(6)]
    for found in RULES.values():
        for one in day:
            key = key_of(found, one, ACCEPTED)
            same = [other for other in day if key_of(found, other, ACCEPTED) == key]
            assert key is None or evaluate(found, key, same, LATER) is None


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "least", ["{ messages = 6 }", "{ messages = 4, senders = 3, recipient_domains = 3 }"]
)
def test_a_bounce_that_adds_nothing_never_makes_a_rule_fire(seed: int, least: str) -> None:
    """Random streams, a quarter late, some of wrong clocks: the short look misses nothing."""
    chance, probe = random.Random(seed), rule(also_min=least)
    seen, skipped = list[Event](), 0
    for number in range(1, 60):
        at = number * 6 + (chance.uniform(-90, 90) if chance.random() < 0.25 else 0)
        new = event(number, minutes=at, sender=f"p{chance.randrange(4)}@contoso.example")
        new = replace(new, recipient_domain=f"partner{chance.randrange(3)}.example")
        before = [one for one in seen if abs(one.occurred_at - new.occurred_at) <= probe.window]
        newest, now = (
            sorted([*before, new], key=lambda one: one.occurred_at)[-20:],
            NOON + timedelta(minutes=number * 6),
        )
        if adds_nothing(probe, [new], newest, now):
            assert not evaluate(probe, KEY, [*before, new], now) or evaluate(probe, KEY, before, now)
            skipped += 1
        seen.append(new)
    assert skipped > 5


def test_ten_thousand_events_are_counted_in_a_moment() -> None:
    """The window slides: the work grows with the events, not with their square."""
    events = [event(number, minutes=number / 100) for number in range(10_000)]
    found = evaluate(rule(), KEY, events, LATER)
    assert found is not None
    assert found.messages == 10_000
