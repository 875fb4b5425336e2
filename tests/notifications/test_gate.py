"""The gate: every check with a case that it stops and one that it lets pass."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bounce_watch.model import Action, Cause, Evidence, Kind, LetterKind, Site
from bounce_watch.notifications.gate.check import check, examine, refuse_at_once
from bounce_watch.notifications.gate.values import (
    SENTENCES,
    WITHHELD,
    Allowed,
    Candidate,
    Mode,
    Past,
    Policy,
    Reason,
    Refused,
)

OUTSIDE_THE_GATE = {Reason.UNCERTAIN, Reason.SAME_LETTER, Reason.SAME_MESSAGE, Reason.OWNER_TOLD}
"""Reasons for messages that were already written; the gate has no check for them."""

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SITE = Site(
    organisation="Contoso",
    accepted_domains=frozenset({"contoso.example", "xn--mnchen-3ya.example"}),
    own_addresses=frozenset({"bounces@contoso.example", "admin@contoso.example"}),
)
POLICY = Policy(
    site=SITE,
    from_address="help@contoso.example",
    mode=Mode.ON,
    never_to=frozenset({"Board@contoso.example"}),
)
GOOD = Candidate(
    kind=LetterKind.REPLY,
    to="mara@contoso.example",
    event_key="one",
    cause=Cause.RECIPIENT_UNKNOWN,
    evidence=Evidence.INTERNAL,
    original_sender="mara@contoso.example",
    original_recipients=("lena@fabrikam.example",),
    received_at=NOW - timedelta(minutes=5),
)

SELF = ("mara@contoso.example",)
ROWS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], Reason | None]] = [
    # id, candidate, past, policy, reason (None: allowed)
    ("a-plain-failure", {}, {}, {}, None),
    ("somebody-else-wrote-in-our-name", {"disowned": True}, {}, {}, Reason.BACKSCATTER),
    (
        "somebody-else-wrote-in-another-name",
        {"disowned": True, "original_sender": "eve@evil.example"},
        {},
        {},
        None,
    ),
    ("our-mark-in-the-report", {"own_mark": True}, {}, {}, Reason.OWN_BOUNCE),
    ("we-wrote-the-returned-mail", {"original_sender": "help@contoso.example"}, {}, {}, Reason.OWN_BOUNCE),
    ("we-wrote-it-in-capitals", {"original_sender": "HELP@Contoso.Example"}, {}, {}, Reason.OWN_BOUNCE),
    ("the-sender-is-not-returned", {"original_sender": None}, {}, {}, None),
    ("out-of-office", {"report_kind": Kind.AUTO_REPLY}, {}, {}, Reason.NOT_A_REPORT),
    ("read-receipt", {"report_kind": Kind.RECEIPT}, {}, {}, Reason.NOT_A_REPORT),
    ("complaint", {"report_kind": Kind.FEEDBACK}, {}, {}, Reason.NOT_A_REPORT),
    ("newsletter", {"report_kind": Kind.NOT_A_REPORT}, {}, {}, Reason.NOT_A_REPORT),
    ("unreadable", {"report_kind": Kind.UNREADABLE}, {}, {}, Reason.NOT_A_REPORT),
    ("delay-warning", {"report_kind": Kind.DELAY, "action": Action.DELAYED}, {}, {}, Reason.NOT_A_FAILURE),
    ("delay-with-failed-action", {"report_kind": Kind.DELAY}, {}, {}, Reason.NOT_A_FAILURE),
    ("delivery-receipt", {"report_kind": Kind.SUCCESS}, {}, {}, Reason.NOT_A_FAILURE),
    ("one-recipient-delayed", {"action": Action.DELAYED}, {}, {}, Reason.NOT_A_FAILURE),
    ("one-recipient-delivered", {"action": Action.DELIVERED}, {}, {}, Reason.NOT_A_FAILURE),
    ("one-recipient-relayed", {"action": Action.RELAYED}, {}, {}, Reason.NOT_A_FAILURE),
    ("a-list-was-expanded", {"action": Action.EXPANDED}, {}, {}, Reason.NOT_A_FAILURE),
    ("no-action-at-all", {"action": None}, {}, {}, Reason.NOT_A_FAILURE),
    ("correlated-is-not-enough-by-default", {"evidence": Evidence.CORRELATED}, {}, {}, Reason.EVIDENCE),
    ("unverified", {"evidence": Evidence.UNVERIFIED}, {}, {}, Reason.EVIDENCE),
    ("contradictory", {"evidence": Evidence.CONTRADICTORY}, {}, {}, Reason.EVIDENCE),
    ("never-weighed", {"evidence": None}, {}, {}, Reason.EVIDENCE),
    (
        "correlated-where-the-site-accepts-it",
        {"evidence": Evidence.CORRELATED},
        {},
        {"site": replace(SITE, accepted_evidence=frozenset({Evidence.INTERNAL, Evidence.CORRELATED}))},
        None,
    ),
    ("no-address", {"to": None}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("null-sender", {"to": "<>"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("empty", {"to": ""}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("two-at-signs", {"to": "a@b@contoso.example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("quoted-local-part", {"to": '"mara x"@contoso.example'}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("address-literal", {"to": "mara@[192.0.2.1]"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("percent-hack", {"to": "mara%evil.example@contoso.example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("bang-path", {"to": "evil!mara@contoso.example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("source-route", {"to": "@evil.example:mara@contoso.example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("display-name", {"to": "Mara <mara@contoso.example>"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("line-break", {"to": "mara@contoso.example\r\nBcc: x@y.example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("trailing-newline", {"to": "mara@contoso.example\n"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("full-width-letters", {"to": "mara@ｃｏｎｔｏｓｏ.example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("ideographic-full-stop", {"to": "mara@contoso。example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("u-label", {"to": "mara@münchen.example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("a-label-that-is-accepted", {"to": "mara@xn--mnchen-3ya.example"}, {}, {}, None),
    ("somebody-else", {"to": "lena@fabrikam.example"}, {}, {}, Reason.OUTSIDE_DOMAIN),
    ("sub-domain", {"to": "mara@mail.contoso.example"}, {}, {}, Reason.OUTSIDE_DOMAIN),
    ("longer-domain", {"to": "mara@contoso.example.evil.example"}, {}, {}, Reason.OUTSIDE_DOMAIN),
    ("domain-with-our-ending", {"to": "mara@notcontoso.example"}, {}, {}, Reason.OUTSIDE_DOMAIN),
    ("our-domain-in-capitals", {"to": "mara@CONTOSO.Example"}, {}, {}, None),
    (
        "srs",
        {"to": "SRS0=hash=tt=fabrikam.example=lena@contoso.example"},
        {},
        {},
        Reason.REWRITTEN_ADDRESS,
    ),
    ("exchange-srs", {"to": "bounces+SRS=abc=dd@contoso.example"}, {}, {}, Reason.REWRITTEN_ADDRESS),
    ("batv", {"to": "prvs=1234abcdef=mara@contoso.example"}, {}, {}, Reason.REWRITTEN_ADDRESS),
    ("verp", {"to": "news+lena=fabrikam.example@contoso.example"}, {}, {}, Reason.REWRITTEN_ADDRESS),
    ("sub-address", {"to": "mara+shop@contoso.example"}, {}, {}, None),
    ("the-watched-mailbox", {"to": "bounces@contoso.example"}, {}, {}, Reason.OWN_ADDRESS),
    ("an-admin", {"to": "Admin@contoso.example"}, {}, {}, Reason.OWN_ADDRESS),
    (
        "our-own-sender",
        {"to": "help@contoso.example", "original_sender": None},
        {},
        {},
        Reason.OWN_ADDRESS,
    ),
    ("another-member-of-the-board", {"to": "board.office@contoso.example"}, {}, {}, None),
    ("the-watched-mailbox-with-a-detail", {"to": "Bounces+7@contoso.example"}, {}, {}, Reason.OWN_ADDRESS),
    ("an-admin-with-a-detail", {"to": "admin+mail@contoso.example"}, {}, {}, Reason.OWN_ADDRESS),
    ("never-to-with-a-detail", {"to": "Board+news@contoso.example"}, {}, {}, Reason.NEVER_TO),
    ("never-to", {"to": "board@contoso.example"}, {}, {}, Reason.NEVER_TO),
    ("a-person-whose-name-begins-like-a-robots", {"to": "albert@contoso.example"}, {}, {}, None),
    ("postmaster", {"to": "postmaster@contoso.example"}, {}, {}, Reason.ROBOT),
    ("no-reply", {"to": "no-reply@contoso.example"}, {}, {}, Reason.ROBOT),
    ("list-owner", {"to": "owner-news@contoso.example"}, {}, {}, Reason.ROBOT),
    ("a-known-robot", {"known_robot": True}, {}, {}, Reason.ROBOT),
    ("a-list-mail-came-back", {"automatic": ("List-Id",)}, {}, {}, Reason.AUTOMATIC_ORIGINAL),
    ("an-auto-reply-came-back", {"automatic": ("Auto-Submitted",)}, {}, {}, Reason.AUTOMATIC_ORIGINAL),
    ("to-oneself", {"original_recipients": SELF}, {}, {}, Reason.SELF_ADDRESSED),
    (
        "a-mail-to-its-own-sender-that-another-forwarded",
        {"to": "carla@contoso.example", "original_recipients": SELF},
        {},
        {},
        Reason.SELF_ADDRESSED,
    ),
    (
        "to-whom-we-would-write",
        {"original_sender": "carla@contoso.example", "original_recipients": SELF},
        {},
        {},
        Reason.SELF_ADDRESSED,
    ),
    (
        "to-oneself-in-capitals",
        {"original_recipients": ("MARA@Contoso.example",)},
        {},
        {},
        Reason.SELF_ADDRESSED,
    ),
    (
        "to-the-watched-mailbox",
        {"original_recipients": ("bounces@contoso.example",)},
        {},
        {},
        Reason.SELF_ADDRESSED,
    ),
    ("with-a-copy-to-oneself", {"original_recipients": ("lena@fabrikam.example", *SELF)}, {}, {}, None),
    ("recipients-not-returned", {"original_recipients": ()}, {}, {}, None),
    ("the-same-event-again", {}, {"event_key_known": True}, {}, Reason.REPEATED),
    ("told-yesterday", {}, {"last_reply_at": NOW - timedelta(days=1)}, {}, Reason.RECENTLY_TOLD),
    (
        "told-almost-a-week-ago",
        {},
        {"last_reply_at": NOW - timedelta(days=7) + timedelta(seconds=1)},
        {},
        Reason.RECENTLY_TOLD,
    ),
    ("told-a-week-ago", {}, {"last_reply_at": NOW - timedelta(days=7)}, {}, None),
    (
        "told-two-days-ago-with-one-day-set",
        {},
        {"last_reply_at": NOW - timedelta(days=2)},
        {"again_after": timedelta(days=1)},
        None,
    ),
    ("three-answers-today", {}, {"replies_to_person_24h": 3}, {}, Reason.PERSON_LIMIT),
    ("two-answers-today", {}, {"replies_to_person_24h": 2}, {}, None),
    ("breaker", {}, {"breaker_latched": True}, {}, Reason.BREAKER),
    ("twenty-in-a-minute", {}, {"mails_last_minute": 20}, {}, Reason.RATE_LIMIT),
    ("nineteen-in-a-minute", {}, {"mails_last_minute": 19}, {}, None),
    ("two-hundred-in-an-hour", {}, {"mails_last_hour": 200}, {}, Reason.RATE_LIMIT),
    ("one-less-in-an-hour", {}, {"mails_last_hour": 199}, {}, None),
    ("from-last-week", {"received_at": NOW - timedelta(days=7)}, {}, {}, Reason.TOO_OLD),
    (
        "a-second-too-old",
        {"received_at": NOW - timedelta(hours=48, seconds=1)},
        {},
        {},
        Reason.TOO_OLD,
    ),
    ("just-young-enough", {"received_at": NOW - timedelta(hours=48)}, {}, {}, None),
    ("nobody-knows-when", {"received_at": None}, {}, {}, Reason.TOO_OLD),
    ("only-its-own-date-is-known", {"received_at": None, "dated_at": NOW}, {}, {}, None),
    ("arrived-in-2099", {"received_at": NOW + timedelta(days=26_000)}, {}, {}, Reason.TOO_OLD),
    (
        "arrived-in-2099-and-is-new",
        {"received_at": NOW + timedelta(days=26_000), "dated_at": NOW},
        {},
        {},
        None,
    ),
    ("copied-today-from-an-old-mailbox", {"dated_at": NOW - timedelta(days=4000)}, {}, {}, Reason.TOO_OLD),
    ("from-a-server-with-a-fast-clock", {"dated_at": NOW + timedelta(hours=3)}, {}, {}, None),
    (
        "five-a-day-where-the-site-allows-them",
        {},
        {"replies_to_person_24h": 4},
        {"per_person_per_day": 5},
        None,
    ),
    ("off", {}, {}, {"mode": Mode.OFF}, Reason.SWITCHED_OFF),
]


@pytest.mark.parametrize(
    ("candidate", "past", "policy", "reason"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_the_gate_decides(
    candidate: dict[str, Any], past: dict[str, Any], policy: dict[str, Any], reason: Reason | None
) -> None:
    """Each row changes one thing about a reply that may be written."""
    verdict = check(replace(GOOD, **candidate), replace(Past(), **past), replace(POLICY, **policy), NOW)
    if reason is None:
        assert verdict == Allowed(hold=False)
    else:
        assert verdict == Refused(reason=reason, text=SENTENCES[reason])


def test_of_a_candidate_about_which_nothing_is_known_nothing_is_assumed() -> None:
    """Defaults must not stand in for evidence, a date or a past."""
    bare = Candidate(kind=LetterKind.REPLY, to="mara@contoso.example", event_key="one")
    assert (bare.evidence, bare.received_at, bare.original_sender) == (None, None, None)
    assert (bare.report_kind, bare.action, bare.cause) == (Kind.FAILURE, Action.FAILED, Cause.UNKNOWN)
    assert (bare.own_mark, bare.known_robot, bare.automatic, bare.original_recipients) == (
        False,
        False,
        (),
        (),
    )
    past = Past()
    assert (past.replies_to_person_24h, past.mails_last_minute, past.mails_last_hour) == (0, 0, 0)
    assert (past.last_reply_at, past.backlog_until) == (None, None)
    assert (past.event_key_known, past.breaker_latched) == (False, False)


def test_the_limits_are_those_of_the_promises_unless_the_site_sets_others() -> None:
    policy = Policy(site=SITE, from_address="help@contoso.example")
    assert (policy.mode, policy.again_after, policy.not_older_than) == (
        Mode.PREVIEW,
        timedelta(days=7),
        timedelta(hours=48),
    )
    assert (policy.per_person_per_day, policy.per_minute, policy.per_hour) == (3, 20, 200)
    assert policy.never_to == frozenset()
    assert not Allowed().hold
    assert [Mode(word) for word in ("off", "preview", "on")] == list(Mode)


PROBE_ROWS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], Reason | None]] = [
    ("to-a-stranger", {}, {}, {}, None),
    ("to-a-robot", {"to": "postmaster@fabrikam.example"}, {}, {}, None),
    ("while-replies-are-off", {}, {}, {"mode": Mode.OFF}, None),
    ("odd-address", {"to": "a@b@c.example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("bang-path", {"to": "x!y@fabrikam.example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("to-the-watched-mailbox", {"to": "Bounces@Contoso.example"}, {}, {}, Reason.OWN_ADDRESS),
    ("to-our-own-sender", {"to": "HELP@contoso.example"}, {}, {}, Reason.OWN_ADDRESS),
    ("the-same-again", {}, {"event_key_known": True}, {}, Reason.REPEATED),
    ("while-the-breaker-is-latched", {}, {"breaker_latched": True}, {}, Reason.BREAKER),
    ("twenty-in-a-minute", {}, {"mails_last_minute": 20}, {}, Reason.RATE_LIMIT),
    ("nineteen-in-a-minute", {}, {"mails_last_minute": 19}, {}, None),
    ("two-hundred-in-an-hour", {}, {"mails_last_hour": 200}, {}, Reason.RATE_LIMIT),
    ("one-less-in-an-hour", {}, {"mails_last_hour": 199}, {}, None),
]


@pytest.mark.parametrize("row", [row[1:] for row in PROBE_ROWS], ids=[row[0] for row in PROBE_ROWS])
def test_a_probe_passes_its_own_checks(row: tuple[Any, ...]) -> None:
    candidate, past, policy, reason = row
    probe = Candidate(kind=LetterKind.PROBE, to="nobody@fabrikam.example", event_key="probe")
    verdict = check(replace(probe, **candidate), Past(**past), replace(POLICY, **policy), NOW)
    assert (verdict.reason if isinstance(verdict, Refused) else None) == reason
    assert isinstance(verdict, Refused) or not verdict.hold


OWNER_ROWS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], Reason | None]] = [
    ("to-a-role-address", {"to": "webmaster@contoso.example"}, {}, {}, None),
    ("to-an-admin", {"to": "admin@contoso.example"}, {}, {}, None),
    ("told-yesterday", {}, {"last_reply_at": NOW - timedelta(days=1), "replies_to_person_24h": 9}, {}, None),
    ("outside", {"to": "it@fabrikam.example"}, {}, {}, Reason.OUTSIDE_DOMAIN),
    ("sub-domain", {"to": "it@sub.contoso.example"}, {}, {}, Reason.OUTSIDE_DOMAIN),
    ("odd-address", {"to": "a@b@contoso.example"}, {}, {}, Reason.NOT_PLAIN_ADDRESS),
    ("never-to", {"to": "board@contoso.example"}, {}, {}, Reason.NEVER_TO),
    ("while-replies-are-off", {}, {}, {"mode": Mode.OFF}, Reason.SWITCHED_OFF),
    ("the-same-again", {}, {"event_key_known": True}, {}, Reason.REPEATED),
    ("while-the-breaker-is-latched", {}, {"breaker_latched": True}, {}, Reason.BREAKER),
    ("twenty-in-a-minute", {}, {"mails_last_minute": 20}, {}, Reason.RATE_LIMIT),
]


@pytest.mark.parametrize("row", [row[1:] for row in OWNER_ROWS], ids=[row[0] for row in OWNER_ROWS])
def test_a_letter_to_an_owner_passes_its_own_checks(row: tuple[Any, ...]) -> None:
    candidate, past, policy, reason = row
    letter = Candidate(kind=LetterKind.OWNER, to="it@contoso.example", event_key="owner:1", received_at=NOW)
    verdict = check(replace(letter, **candidate), Past(**past), replace(POLICY, **policy), NOW)
    assert (verdict.reason if isinstance(verdict, Refused) else None) == reason
    held = check(letter, Past(), replace(POLICY, mode=Mode.PREVIEW), NOW)
    assert held == check(letter, Past(backlog_until=NOW + timedelta(1)), POLICY, NOW) == Allowed(hold=True)


def test_there_are_enough_rows_and_each_check_has_one_that_it_stops() -> None:
    """Every row changes one thing about a reply that passes, so each check has a passing case too."""
    rows = [*ROWS, *PROBE_ROWS]
    names = [row[0] for row in ROWS]
    assert len(names) == len(set(names))
    stopped = {reason: sum(row[4] is reason for row in rows) for reason in Reason}
    print(f"{len(ROWS)} rows for replies, {len(PROBE_ROWS)} for probes, {stopped}")
    assert len(ROWS) >= 80
    assert all(stopped[reason] for reason in set(Reason) - OUTSIDE_THE_GATE)


def test_preview_allows_on_hold() -> None:
    """Nothing leaves in preview, and everything can be read and released."""
    assert check(GOOD, Past(), replace(POLICY, mode=Mode.PREVIEW), NOW) == Allowed(hold=True)


@pytest.mark.parametrize(
    ("minutes_after", "hold"),
    [
        pytest.param(1, True, id="arrived-before-the-first-look"),
        pytest.param(0, False, id="arrived-with-it"),
        pytest.param(-1, False, id="arrived-after-it"),
    ],
)
def test_the_backlog_of_a_first_run_waits_for_a_person(minutes_after: int, hold: bool) -> None:
    """Whatever lay in the mailbox at the first look is written, and held even where replies are on."""
    assert GOOD.received_at is not None
    past = Past(backlog_until=GOOD.received_at + timedelta(minutes=minutes_after))
    assert check(GOOD, past, POLICY, NOW) == Allowed(hold=hold)


@pytest.mark.parametrize("kind", [LetterKind.ALERT, LetterKind.DIGEST])
def test_mail_to_admins_is_held_neither_by_preview_nor_by_backlog(kind: LetterKind) -> None:
    past, policy = Past(backlog_until=NOW), replace(POLICY, mode=Mode.PREVIEW)
    assert check(replace(GOOD, kind=kind), past, policy, NOW) == Allowed(hold=False)


def test_the_first_check_that_hits_names_the_reason() -> None:
    """A candidate that breaks every rule is told the first one, in the order of the enumeration."""
    worst = replace(GOOD, own_mark=True, evidence=None, to="no-reply@evil.example", received_at=None)
    full = Past(event_key_known=True, replies_to_person_24h=9, mails_last_minute=99, breaker_latched=True)
    assert check(worst, full, replace(POLICY, mode=Mode.OFF), NOW) == Refused(
        reason=Reason.OWN_BOUNCE, text=SENTENCES[Reason.OWN_BOUNCE]
    )


@pytest.mark.parametrize("kind", [LetterKind.ALERT, LetterKind.DIGEST])
@pytest.mark.parametrize(
    ("candidate", "past", "reason"),
    [
        pytest.param({}, {}, None, id="an-admin"),
        pytest.param({"to": "noc@provider.example"}, {}, None, id="an-admin-outside"),
        pytest.param({"to": "alerts@contoso.example"}, {}, None, id="a-role-address"),
        pytest.param({}, {"replies_to_person_24h": 50}, None, id="no-person-limit"),
        pytest.param({}, {"mails_last_minute": 500, "mails_last_hour": 500}, None, id="no-rate-limit"),
        pytest.param({}, {"breaker_latched": True}, None, id="told-while-the-breaker-is-latched"),
        pytest.param({}, {"event_key_known": True}, Reason.REPEATED, id="never-twice"),
        pytest.param({"to": "a@b@c.example"}, {}, Reason.NOT_PLAIN_ADDRESS, id="odd-address"),
        pytest.param({"to": None}, {}, Reason.NOT_PLAIN_ADDRESS, id="no-address"),
    ],
)
def test_mail_to_admins_passes_its_own_checks(
    kind: LetterKind, candidate: dict[str, Any], past: dict[str, Any], reason: Reason | None
) -> None:
    """The configuration names the recipients: mode, evidence and limits of replies do not apply."""
    letter = replace(Candidate(kind=kind, to="admin@contoso.example", event_key="day"), **candidate)
    verdict = check(letter, replace(Past(), **past), replace(POLICY, mode=Mode.OFF), NOW)
    assert (verdict.reason if isinstance(verdict, Refused) else None) == reason
    assert isinstance(verdict, Refused) or not verdict.hold


def test_every_reason_has_a_sentence_and_a_label() -> None:
    """The digest never shows a word of the machine."""
    assert set(SENTENCES) == set(Reason) == set(WITHHELD)
    assert all(text.endswith(".") for text in SENTENCES.values())


def test_every_reason_is_reached_by_a_row() -> None:
    """No check is dead."""
    assert {row[4] for row in ROWS if row[4]} == set(Reason) - OUTSIDE_THE_GATE


@pytest.mark.parametrize("row", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_examining_a_reply_names_every_check_and_the_first_hit_decides(row: tuple[Any, ...]) -> None:
    """What a person is told when asking why is what the gate did."""
    candidate, past, policy, reason = row
    told = examine(replace(GOOD, **candidate), replace(Past(), **past), replace(POLICY, **policy), NOW)
    assert [name for name, _ in told] == [name for name in Reason if name not in OUTSIDE_THE_GATE]
    assert next((name for name, hits in told if hits), None) is reason


@pytest.mark.parametrize("row", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_is_refused_at_once_is_refused_by_the_gate_for_the_same_reason(row: tuple[Any, ...]) -> None:
    """The past is looked up only where it has a say; it changes no refusal that stands without it."""
    candidate, past, policy, reason = row
    letter, policy = replace(GOOD, **candidate), replace(POLICY, **policy)
    at_once = refuse_at_once(letter, policy, NOW)
    assert at_once is None or at_once == check(letter, replace(Past(), **past), policy, NOW)
    by_the_past = {field.name for field in fields(Past)} & set(past)
    assert (at_once is None) == (reason is None or bool(by_the_past))


@pytest.mark.parametrize("kind", [LetterKind.QUESTION, LetterKind.CONFIRMATION])
@pytest.mark.parametrize(
    ("to", "past", "reason"),
    [
        ("help-desk@contoso.example", Past(), None),
        ("admin@contoso.example", Past(mails_last_minute=99, breaker_latched=True), None),
        ("help-desk@fabrikam.example", Past(), Reason.OUTSIDE_DOMAIN),
        ("help@desk@contoso.example", Past(), Reason.NOT_PLAIN_ADDRESS),
        ("help-desk@contoso.example", Past(event_key_known=True), Reason.REPEATED),
    ],
    ids=["support", "an admin in a storm", "outside", "odd", "twice"],
)
def test_what_follows_a_reply_stays_in_our_domains(
    kind: LetterKind, to: str, past: Past, reason: Reason | None
) -> None:
    verdict = check(Candidate(kind=kind, to=to, event_key="one"), past, POLICY, NOW)
    assert (verdict.reason if isinstance(verdict, Refused) else None) is reason
