"""The life of an incident: told once, then growth, a reminder a day, one all-clear; and who decides what."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count

import pytest

from bounce_watch.model import (
    Action,
    Bounce,
    Cause,
    Evidence,
    IncidentState,
    Kind,
    LetterKind,
    OriginalMessage,
    OutboxState,
    Owner,
    Persistence,
    Report,
    Side,
)
from bounce_watch.pipeline.incidents.alerts import alert_opened
from bounce_watch.pipeline.incidents.all_clear import affected_by, close_incident, notify_colleagues
from bounce_watch.pipeline.incidents.rules import apply_rules, update_incidents
from bounce_watch.store import Change, OutboxEntry
from tests.pipeline.conftest import START, Home, ndr

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SPF = Bounce(
    recipient="desk@fabrikam.example",
    sender="lena@larkfield.example",
    action=Action.FAILED,
    status="5.7.23",
    reply_code="550",
    cause=Cause.SPF_FAILED,
    persistence=Persistence.PERMANENT,
    owner=Owner.MAIL_ADMIN,
    side=Side.THEIRS,
    evidence=Evidence.INTERNAL,
)
_numbers = count(1)


def put(home: Home, *bounces: Bounce, at: datetime | None = None, historical: bool = False) -> list[int]:
    """Store each bounce as a message of its own and let the rules look; return what opened."""
    opened: list[int] = []
    now = home.context.clock()
    with home.context.store.transaction() as tx:
        for bounce in bounces:
            number, moment = next(_numbers), at or now
            message = tx.messages.add_message(
                mailbox="INBOX",
                validity=1,
                uid=str(number),
                sha256=sha256(b"").hexdigest(),
                size=1,
                received_at=moment,
                now=now,
                kind=Kind.FAILURE,
            )
            original = OriginalMessage(sender=bounce.sender, subject=f"Offer {number}")
            report = Report(
                kind=Kind.FAILURE, format="rfc3464", original=original, fingerprint=f"print-{number}"
            )
            stored = tx.messages.add_report(message, report, evidence=bounce.evidence, tests=(), now=now)
            events = tx.messages.add_bounces(stored, [replace(bounce, occurred_at=moment)], now)
            recorded = apply_rules(home.context, tx, events, historical=historical)
            new = [one.incident.number for one in recorded if one.change is Change.OPENED]
            alert_opened(home.context, tx, new)
            opened += new
    return opened


def spf(number: int) -> list[Bounce]:
    """So many refusals for SPF, each of another sender and at another domain."""
    return [
        replace(SPF, sender=f"p{n}@larkfield.example", recipient=f"desk@partner{n}.example")
        for n in range(number)
    ]


def look(home: Home, *, after: timedelta = timedelta()) -> tuple[int, ...]:
    home.clock.now += after
    with home.context.store.transaction() as tx:
        return update_incidents(home.context, tx)


def alerts(home: Home) -> list[OutboxEntry]:
    entries = home.context.store.outbox.list([OutboxState.PENDING, OutboxState.HELD, OutboxState.SENT])
    return sorted((entry for entry in entries if entry.kind is LetterKind.ALERT), key=lambda entry: entry.id)


def subjects(home: Home) -> list[str]:
    return [entry.subject.partition(":")[0] for entry in alerts(home)]


def test_an_incident_is_told_a_minute_after_it_opened_and_once(home: Home) -> None:
    assert put(home, *spf(4)) == [1]
    look(home, after=30 * MINUTE / 60)
    assert subjects(home) == []
    look(home, after=MINUTE)
    look(home, after=MINUTE)
    assert subjects(home) == ["[High] INC-1"]
    assert [entry.recipient for entry in alerts(home)] == ["mailadmin@larkfield.example"]


def test_growth_is_told_in_steps_and_not_faster_than_once_an_hour(home: Home) -> None:
    put(home, *spf(4))
    look(home, after=2 * MINUTE)
    put(home, *spf(4))
    look(home, after=MINUTE)
    assert subjects(home) == ["[High] INC-1"]
    look(home, after=HOUR)
    put(home, *spf(26))
    look(home, after=HOUR)
    look(home, after=HOUR)
    assert subjects(home) == [
        "[High] INC-1",
        "[High] INC-1 is growing (8 messages)",
        "[High] INC-1 is growing (34 messages)",
    ]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("bounces", [300, pytest.param(2_000, marks=pytest.mark.proof)])
def test_a_burst_of_bounces_causes_at_most_three_mails_to_admins(home: Home, bounces: int) -> None:
    """A look each minute while they come in; then the rest of the day."""
    burst = spf(bounces)
    for start in range(0, bounces, 100):
        put(home, *burst[start : start + 100])
        look(home, after=MINUTE)
    for _ in range(12):
        look(home, after=HOUR)
    assert home.context.store.incidents.show(1).incident.finding.messages == bounces
    assert 1 <= len(alerts(home)) <= 3


def test_a_reminder_comes_once_a_day_until_somebody_is_on_it(home: Home) -> None:
    put(home, *spf(20))
    look(home, after=2 * MINUTE)
    for _ in range(6):
        put(home, *spf(3))
        for _ in range(2):
            look(home, after=6 * HOUR)
    assert subjects(home)[1:] == ["[High] INC-1 is unacknowledged"] * 3
    with home.context.store.transaction() as tx:
        tx.incidents.acknowledge(1, home.clock.now, by="root")
    put(home, *spf(3))
    look(home, after=20 * HOUR)
    put(home, *spf(3))
    look(home, after=20 * HOUR)
    assert "is unacknowledged" not in " ".join(subjects(home)[4:])


def test_a_silenced_incident_is_not_told_until_the_silence_ends(home: Home) -> None:
    put(home, *spf(4))
    with home.context.store.transaction() as tx:
        tx.incidents.silence(1, home.clock.now + 8 * HOUR, home.clock.now, by="root", why="known")
    look(home, after=2 * HOUR)
    assert subjects(home) == []
    look(home, after=7 * HOUR)
    assert subjects(home) == ["[High] INC-1"]


def state(home: Home, number: int = 1) -> IncidentState:
    return home.context.store.incidents.show(number).incident.state


def test_silence_is_told_once_and_is_no_all_clear(home: Home) -> None:
    put(home, *spf(4))
    look(home, after=2 * MINUTE)
    with home.context.store.transaction() as tx:
        tx.incidents.acknowledge(1, home.clock.now, by="root")
    for _ in range(30):
        assert look(home, after=DAY) == ()
    assert subjects(home) == ["[High] INC-1", "[High] INC-1 is quiet, not confirmed as fixed"]
    text = " ".join(alerts(home)[-1].preview.split())
    assert "No new bounces since Mon, Nov 23, 2026" in text
    assert "bounce-watch incidents resolve 1" in text
    assert state(home) is IncidentState.QUIET


def test_a_person_ends_an_incident_and_the_all_clear_names_who_did(home: Home) -> None:
    put(home, *spf(4))
    look(home, after=2 * MINUTE)
    close_incident(home.context, 1, by="mara", why="record corrected")
    assert subjects(home) == ["[High] INC-1", "[Resolved] INC-1"]
    assert "Resolved by mara: record corrected." in alerts(home)[-1].preview


def test_a_blocked_account_is_quiet_and_stays_open_and_reminds(home: Home) -> None:
    put(home, replace(SPF, cause=Cause.SENDER_BLOCKED, status="5.1.8", side=Side.OURS))
    for _ in range(10):
        look(home, after=DAY)
    assert state(home) is IncidentState.QUIET
    assert not [one for one in subjects(home) if "Resolved" in one]
    assert subjects(home)[-1] == "[Critical] INC-1 is unacknowledged"


def test_a_medium_incident_that_stays_quiet_is_archived_without_an_all_clear(home: Home) -> None:
    unreachable = [
        replace(
            SPF, cause=Cause.DOMAIN_NOT_FOUND, status="5.4.310", recipient="x@gone.example", sender=one.sender
        )
        for one in spf(4)
    ]
    put(home, *unreachable)
    look(home, after=2 * MINUTE)
    look(home, after=2 * DAY)
    assert state(home) is IncidentState.QUIET
    look(home, after=2 * DAY)
    assert state(home) is IncidentState.ARCHIVED
    assert subjects(home) == ["[Medium] INC-1", "[Medium] INC-1 is quiet, not confirmed as fixed"]
    with pytest.raises(ValueError, match="not resolved"):
        notify_colleagues(home.context, 1)
    close_incident(home.context, 1, by="mara", why="domain renewed")
    assert subjects(home)[-1] == "[Resolved] INC-1"


def test_a_digest_names_what_was_archived_in_one_line(home: Home) -> None:
    put(
        home,
        *(
            replace(SPF, cause=Cause.DOMAIN_NOT_FOUND, recipient="x@gone.example", sender=one.sender)
            for one in spf(4)
        ),
    )
    look(home, after=2 * MINUTE)
    look(home, after=2 * DAY)
    look(home, after=2 * DAY)
    digest = home.context.store.digests.count(home.clock.now.date(), "UTC", home.clock.now)
    assert [one.name for one in digest.archived] == ["INC-1"]
    assert (digest.resolved, digest.still_open) == ((), ())
    text = home.context.composer.digest(digest, event_key="x", to="mailadmin@larkfield.example").text
    assert "not confirmed as fixed: INC-1" in " ".join(text.split())


def test_a_quiet_incident_explains_nothing_that_comes_later(home: Home) -> None:
    blocked = replace(SPF, cause=Cause.SENDER_BLOCKED, status="5.1.8", side=Side.OURS)
    put(home, blocked)
    look(home, after=5 * DAY)
    spray = [
        replace(SPF, cause=Cause.RECIPIENT_UNKNOWN, status="5.1.1", recipient=f"x@partner{n}.example")
        for n in range(14)
    ]
    put(home, *spray)
    look(home, after=5 * MINUTE)
    assert "[High] INC-2" in subjects(home)


def test_a_trickle_below_the_lower_level_does_not_open_it_again(home: Home) -> None:
    """Opened at three senders, quiet below two: one refusal every six hours is not the incident."""
    put(home, *spf(4))
    for _ in range(16):
        put(home, SPF)
        look(home, after=6 * HOUR)
    assert [(one.state, one.reopened) for one in home.context.store.incidents.list()] == [
        (IncidentState.QUIET, 0)
    ]


def test_severe_incidents_do_not_wait_behind_lesser_ones(open_home: Callable[..., Home]) -> None:
    """Medium ones used up the hourly limit; a high one is told, another medium one waits and is named."""
    home = open_home(("[digest]", "[alerts]\nper_hour = 2\n[digest]"))
    for place in range(2):
        put(
            home,
            *(
                replace(
                    SPF, cause=Cause.DOMAIN_NOT_FOUND, recipient=f"x@gone{place}.example", sender=one.sender
                )
                for one in spf(3)
            ),
        )
    look(home, after=2 * MINUTE)
    put(
        home,
        *(
            replace(SPF, cause=Cause.DOMAIN_NOT_FOUND, recipient="x@gone9.example", sender=one.sender)
            for one in spf(3)
        ),
    )
    put(home, *spf(4))
    look(home, after=2 * MINUTE)
    assert subjects(home) == ["[Medium] INC-1", "[Medium] INC-2", "[High] INC-4"]
    assert "alerts about INC-3 wait for the hourly limit" in " ".join(alerts(home)[-1].preview.split())


@pytest.mark.parametrize(
    ("later", "numbers", "subject"),
    [
        pytest.param(timedelta(hours=12), [1], "[High] INC-1 reopened", id="soon, the same incident"),
        pytest.param(timedelta(days=3), [2, 1], "[High] INC-2", id="later, a new one"),
    ],
)
def test_what_comes_back_soon_after_it_was_resolved_is_the_same_incident(
    home: Home, later: timedelta, numbers: list[int], subject: str
) -> None:
    put(home, *spf(4))
    look(home, after=30 * HOUR)
    close_incident(home.context, 1, by="mara", why="")
    home.clock.now += later
    put(home, *spf(4))
    look(home, after=2 * MINUTE)
    assert [incident.number for incident in home.context.store.incidents.list()] == numbers
    assert subjects(home)[-1] == subject


def test_a_quiet_incident_with_new_bounces_is_the_same_one_however_late(home: Home) -> None:
    put(home, *spf(4))
    look(home, after=2 * MINUTE)
    look(home, after=20 * DAY)
    put(home, *spf(4))
    look(home, after=2 * MINUTE)
    assert [incident.number for incident in home.context.store.incidents.list()] == [1]
    assert subjects(home)[-1] == "[High] INC-1 reopened"
    assert state(home) is IncidentState.OPEN


def test_a_late_report_of_what_is_resolved_opens_nothing(home: Home) -> None:
    put(home, *spf(4))
    look(home, after=30 * HOUR)
    close_incident(home.context, 1, by="mara", why="")
    assert put(home, *spf(5), at=START + HOUR) == []
    assert [one.state for one in home.context.store.incidents.list()] == [IncidentState.RESOLVED]


def test_a_late_report_completes_the_window_it_belongs_to(home: Home) -> None:
    first, second, third, fourth = spf(4)
    put(home, first, second)
    home.clock.now += 20 * HOUR
    assert put(home, third, at=START + HOUR) == []
    assert put(home, fourth, at=START + 2 * HOUR) == [1]


def test_old_mail_opens_incidents_that_nobody_is_told_of_and_that_are_quiet_at_once(home: Home) -> None:
    blocked = replace(SPF, cause=Cause.SENDER_BLOCKED, status="5.1.8", side=Side.OURS)
    opened = put(home, blocked, *spf(4), at=START - 40 * DAY, historical=True)
    assert len(opened) == 2
    assert all(incident.historical for incident in home.context.store.incidents.list())
    look(home, after=HOUR)
    assert {one.state for one in home.context.store.incidents.list()} == {IncidentState.QUIET}
    assert subjects(home) == []


def test_an_incident_of_old_mail_is_told_once_new_mail_is_about_it(home: Home) -> None:
    blocked = replace(SPF, cause=Cause.SENDER_BLOCKED, status="5.1.8", side=Side.OURS)
    put(home, blocked, at=START - 40 * DAY, historical=True)
    look(home, after=HOUR)
    put(home, blocked)
    look(home, after=2 * MINUTE)
    assert subjects(home) == ["[Critical] INC-1"]


def test_a_takeover_is_told_to_security_at_once_and_explains_the_lesser_one(home: Home) -> None:
    spray = [
        replace(SPF, cause=Cause.RECIPIENT_UNKNOWN, status="5.1.1", recipient=f"x@partner{n}.example")
        for n in range(14)
    ]
    put(home, *spray)
    put(home, replace(SPF, cause=Cause.SENDER_BLOCKED, status="5.1.8", side=Side.OURS))
    assert subjects(home) == ["[Critical] INC-2"]
    look(home, after=5 * MINUTE)
    assert [entry.recipient for entry in alerts(home)] == ["security@larkfield.example"]
    assert home.context.store.incidents.show(1).incident.suppressed_by == 2
    assert "suppressed" in [line.change for line in home.context.store.incidents.show(1).changes]


def test_a_takeover_alert_never_goes_to_the_affected_account_alone(home: Home) -> None:
    own = replace(
        SPF, cause=Cause.SENDER_BLOCKED, status="5.1.8", side=Side.OURS, sender="Security@larkfield.example"
    )
    put(home, own)
    assert {entry.recipient for entry in alerts(home)} == {
        "security@larkfield.example",
        "mailadmin@larkfield.example",
    }


def test_every_change_leaves_a_line_with_who_made_it(home: Home) -> None:
    put(home, *spf(4))
    with home.context.store.transaction() as tx:
        tx.incidents.acknowledge(1, home.clock.now, by="mara", note="on it")
        tx.incidents.acknowledge(1, home.clock.now, by="tom")
        tx.incidents.note(1, "asked the provider", home.clock.now, by="mara")
    close_incident(home.context, 1, by="mara", why="record corrected")
    assert [(line.change, line.by, line.note) for line in home.context.store.incidents.show(1).changes] == [
        ("opened", "bounce_watch", ""),
        ("acknowledged", "mara", "on it"),
        ("note", "mara", "asked the provider"),
        ("resolved", "mara", "record corrected"),
    ]


def test_affected_senders_are_told_of_their_own_mails_only_and_once(home: Home) -> None:
    put(home, *spf(4))
    with pytest.raises(ValueError, match="not resolved"):
        notify_colleagues(home.context, 1)
    close_incident(home.context, 1, by="mara", why="")
    assert notify_colleagues(home.context, 1).queued == 4
    assert notify_colleagues(home.context, 1).queued == 0
    notices = [entry for entry in home.context.store.outbox.list() if entry.kind is LetterKind.REPLY]
    assert {entry.recipient for entry in notices} == {f"p{n}@larkfield.example" for n in range(4)}
    affected = affected_by(home.context.store.incidents.show(1))
    assert [[mail.recipient for mail in one.mails] for one in affected] == [
        [f"desk@partner{n}.example"] for n in range(4)
    ]


def test_notices_stop_below_the_pace_that_would_stop_replies(home: Home) -> None:
    put(home, *spf(40))
    close_incident(home.context, 1, by="mara", why="")
    first = notify_colleagues(home.context, 1)
    assert (first.queued + first.left, first.withheld) == (40, 0)
    assert 0 < first.queued < home.context.policy.per_minute
    home.clock.now += 2 * MINUTE
    assert notify_colleagues(home.context, 1).queued > 0
    assert home.context.store.state.breaker_latched_at() is None


def test_more_than_usual_is_seen_by_a_look_at_the_clock(home: Home) -> None:
    """Six weeks of three full mailboxes a working day; then twelve within half an hour at night."""
    full = replace(SPF, cause=Cause.MAILBOX_FULL, status="5.2.2")
    for day in range(42):
        moment = START - 42 * DAY + day * DAY
        for n in range(3):
            mail = replace(full, sender=f"p{n}@larkfield.example", recipient=f"x@d{day}{n}.example")
            put(home, mail, at=moment + n * HOUR, historical=True)
    home.clock.now = START + 14 * HOUR
    look(home)
    assert home.context.store.incidents.list_open() == ()
    put(
        home,
        *(replace(full, sender=f"q{n}@larkfield.example", recipient=f"y@e{n}.example") for n in range(12)),
    )
    look(home, after=20 * MINUTE)
    assert [one.finding.rule_id for one in home.context.store.incidents.list_open()] == ["volume_anomaly"]
    look(home, after=10 * HOUR)
    assert state(home) is IncidentState.OPEN
    look(home, after=12 * HOUR)
    assert state(home) is IncidentState.QUIET


def test_messages_that_expired_after_two_days_are_told_when_the_failure_is_known(home: Home) -> None:
    """They counted at the mail's own time, so their incident was over before it was opened."""
    sent = home.clock.now - timedelta(hours=50)
    for number in range(8):
        expired = ndr(
            sender=f"person{number}@larkfield.example",
            recipient=f"kim{number}@fabrikam.example",
            number=number,
            at=home.clock.now,
            reply="550 4.4.7 QUEUE.Expired; message expired",
            status="4.4.7",
        )
        before, found, after = expired.partition(b"Arrival-Date: ")
        line = f"{sent:%a, %d %b %Y %H:%M:%S +0000}".encode()
        home.deliver(before + found + line + after[after.index(b"\r\n") :], str(number))
    result = home.look()
    assert result.opened
    home.look()
    home.clock.now += timedelta(minutes=10)
    home.look()
    mails = [entry for entry in home.context.store.outbox.list() if entry.kind is LetterKind.ALERT]
    assert mails
    assert {one.number for one in home.context.store.incidents.list_open()} >= set(result.opened)
