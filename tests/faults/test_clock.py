"""Clocks that jump an hour back or a year ahead: nothing written then waits for ever or comes twice."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.pipeline import run_cycle
from bounce_watch.pipeline.health import Level, judge_mailboxes, worst
from bounce_watch.pipeline.incidents.mailbox_outage import note_fault
from bounce_watch.pipeline.wiring import source_names
from bounce_watch.send import FolderSender, Outcome
from bounce_watch.source.local.maildir import MaildirSource
from tests.pipeline.conftest import Home, home, ndr, open_home, reader, store_line
from tests.safety.test_uncertain import Cut
from tests.store.committed import committed
from tests.store.rows import reading
from tests.store.values import LETTER

pytestmark = pytest.mark.slow

__all__ = ["home", "open_home", "reader", "store_line"]

YEAR, HOUR, GRACE = timedelta(days=365), timedelta(hours=1), timedelta(minutes=11)


def fail(home: Home, outcome: Outcome) -> None:
    """Run a cycle whose sending ends like this."""
    with MaildirSource(home.folder / "mailbox", filed_folder="Filed") as source:
        run_cycle(home.context, source, Cut(outcome=outcome))  # type: ignore[arg-type]


def run_with_probe(home: Home) -> None:
    with (
        MaildirSource(home.folder / "mailbox", filed_folder="Filed") as source,
        FolderSender(home.folder / "sent") as sender,
    ):
        run_cycle(home.context, source, sender, sender)


@pytest.mark.parametrize("outcome", [Outcome.LATER, Outcome.STOP, Outcome.UNKNOWN])
def test_what_was_put_off_by_a_clock_a_year_ahead_does_not_wait_a_year(home: Home, outcome: Outcome) -> None:
    """The clock is put right minutes later, as time synchronisation does after a start."""
    home.deliver(ndr(), "1")
    home.clock.now += YEAR
    home.deliver(ndr("late@larkfield.example", number=2, at=home.clock.now), "2")
    fail(home, outcome)
    home.clock.now -= YEAR
    for _ in range(3):
        home.clock.now += GRACE
        run_with_probe(home)
    replies = [mail for mail in home.context.store.outbox.list() if mail.kind is LetterKind.REPLY]
    assert replies
    assert {mail.state for mail in replies} == {OutboxState.SENT}


def test_a_mail_is_not_given_up_because_the_clock_jumped(home: Home) -> None:
    """A server that is away, and a clock that shows a year later at the second attempt."""
    home.deliver(ndr(), "1")
    fail(home, Outcome.LATER)
    home.clock.now += YEAR
    fail(home, Outcome.LATER)
    home.clock.now += HOUR
    run_with_probe(home)
    (reply,) = [mail for mail in home.context.store.outbox.list() if mail.kind is LetterKind.REPLY]
    assert reply.state is OutboxState.SENT


JUMPS = {
    "an hour back": (-HOUR, -HOUR),
    "a year ahead and back": (YEAR, -YEAR),
    "over the change to winter time and back": (timedelta(days=-29), timedelta(days=29)),
    "ten days off": (timedelta(days=10), timedelta(0)),
}


@pytest.mark.parametrize("jumps", JUMPS.values(), ids=JUMPS)
def test_after_jumps_every_answer_and_every_digest_was_sent_once(
    open_home: Callable[..., Home], jumps: tuple[timedelta, ...]
) -> None:
    home = open_home(
        ('support = "phone 4455"', 'support = "phone 4455"\ntime_zone = "Europe/Berlin"'),
        ('at = "23:30:00"', 'at = "07:00:00"'),
        ("settle_seconds = 0", "settle_seconds = 300\nnot_older_than_hours = 100000\nhold_backlog_over = 99"),
    )
    number = 0
    for jump in (timedelta(0), *jumps, timedelta(0)):
        home.clock.now += jump
        number += 1
        home.deliver(ndr(f"c{number}@larkfield.example", number=number), str(number))
        for _ in range(3):
            home.clock.now += 10 * HOUR
            run_with_probe(home)
    outbox = home.context.store.outbox.list()
    replies = Counter(mail.recipient for mail in outbox if mail.kind is LetterKind.REPLY)
    assert set(replies.values()) == {1}
    assert len(replies) == number
    assert {mail.state for mail in outbox} == {OutboxState.SENT}
    digests = [mail.event_key for mail in outbox if mail.kind is LetterKind.DIGEST]
    assert len(digests) == len(set(digests)) >= 2


BLOCKED = {"reply": "550 5.1.8 Access denied, bad outbound sender AS(42004)", "status": "5.1.8"}


def blocked(home: Home, number: int) -> None:
    """Deliver a report that an account is blocked, which opens an incident."""
    person, now = f"c{number}@larkfield.example", home.clock.now
    home.deliver(ndr(person, number=number, at=now, remote=None, **BLOCKED), str(number))


def alerts(home: Home) -> list[str]:
    found = home.context.store.outbox.list()
    return [mail.subject for mail in found if mail.kind is LetterKind.ALERT]


def test_what_a_clock_a_year_ahead_did_to_incidents_ends_with_it(home: Home) -> None:
    """Its alerts used up the limit of every hour of the year, and what it opened was never alerted about."""
    blocked(home, 1)
    run_with_probe(home)
    assert len(alerts(home)) == 1
    home.clock.now += YEAR
    for number in range(2, 12):
        blocked(home, number)
    run_with_probe(home)
    home.clock.now += timedelta(minutes=2)
    run_with_probe(home)
    told_ahead = len(alerts(home))
    assert told_ahead < 16
    home.clock.now -= YEAR
    run_with_probe(home)
    blocked(home, 20)
    for _ in range(2):
        run_with_probe(home)
        home.clock.now += timedelta(minutes=61)
    states = home.context.store.incidents
    with home.context.store.transaction() as tx:
        untold = [state.incident.name for state in tx.incidents.alert_states() if state.step == 0]
    assert untold == []
    assert told_ahead < len(alerts(home)) < 40
    before = len(alerts(home))
    home.clock.now += timedelta(hours=25)
    run_with_probe(home)
    assert before < len(alerts(home)), "no reminder"
    assert states.list_open()


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_open_incidents_silences_and_acknowledgements_outlive_a_jump(home: Home, jump: timedelta) -> None:
    for number in range(1, 5):
        blocked(home, number)
    run_with_probe(home)
    with home.context.store.transaction() as tx:
        first, second, *_ = (one.number for one in tx.incidents.list_open())
        tx.incidents.silence(first, home.clock.now + timedelta(days=2), home.clock.now, by="anna")
        tx.incidents.acknowledge(second, home.clock.now, by="anna")
    before = len(alerts(home))
    for _ in range(4):
        home.clock.now += jump
        run_with_probe(home)
        home.clock.now -= jump
        run_with_probe(home)
        home.clock.now += timedelta(seconds=30)
    assert len(alerts(home)) - before <= 12
    held = home.context.store.incidents.show(first).incident
    assert held.is_silenced(home.clock.now)
    home.clock.now += timedelta(minutes=61)  # the limit of an hour
    blocked(home, 9)
    run_with_probe(home)
    assert any("c9@" in subject for subject in alerts(home))


def test_an_outage_that_began_under_a_wrong_clock_is_told_an_hour_later(home: Home) -> None:
    home.clock.now += YEAR
    assert not note_fault(home.context, "imap://x", "x", OSError("away"))
    home.clock.now -= YEAR
    assert not note_fault(home.context, "imap://x", "x", OSError("away"))
    home.clock.now += timedelta(minutes=61)
    assert note_fault(home.context, "imap://x", "x", OSError("away"))


def test_a_storm_under_a_wrong_clock_trips_no_breaker_of_today(home: Home) -> None:
    outbox = committed(home.context.store).outbox
    ahead = home.clock.now + YEAR
    for number in range(300):
        letter = replace(LETTER, event_key=f"ahead {number}")
        outbox.enqueue(letter, content=b"x", bw_id=f"{number}", state=OutboxState.PENDING, now=ahead)
    history = home.context.store.outbox.reply_history(LETTER.to, "unknown", home.clock.now)
    assert (history.mails_last_hour, history.replies_last_day, history.last_reply_at) == (0, 0, None)


def test_a_silence_that_was_set_by_a_clock_a_year_ahead_ends_with_it(home: Home) -> None:
    """Nor does the next incident of its kind inherit it."""
    blocked(home, 1)
    run_with_probe(home)
    (number,) = (one.number for one in home.context.store.incidents.list_open())
    home.clock.now += YEAR
    with home.context.store.transaction() as tx:
        tx.incidents.silence(number, home.clock.now + timedelta(hours=8), home.clock.now, by="anna")
    assert home.context.store.incidents.show(number).incident.is_silenced(home.clock.now)
    home.clock.now -= YEAR
    assert not home.context.store.incidents.show(number).incident.is_silenced(home.clock.now)
    with home.context.store.transaction() as tx:
        tx.incidents.resolve(number, home.clock.now, by="anna")
    home.clock.now += timedelta(days=30)
    again = ndr("c1@larkfield.example", number=60, at=home.clock.now, remote=None, **BLOCKED)
    home.deliver(again, "60")
    run_with_probe(home)
    assert sum("c1@" in subject for subject in alerts(home)) >= 2


def test_what_fell_quiet_or_was_closed_by_a_clock_a_year_ahead_opens_again(home: Home) -> None:
    """It told of the silence with every look, and took what came in a year for late reports."""
    for number in range(1, 4):
        blocked(home, number)
    run_with_probe(home)
    home.clock.now += YEAR
    for _ in range(2):
        run_with_probe(home)
        home.clock.now += timedelta(minutes=1)
    first, *_ = home.context.store.incidents.list_open()
    with home.context.store.transaction() as tx:
        tx.incidents.resolve(first.number, home.clock.now, by="anna")
    home.clock.now -= YEAR
    withheld = count(home, "withheld")
    for _ in range(5):
        run_with_probe(home)
        home.clock.now += timedelta(minutes=1)
    assert count(home, "withheld") == withheld
    home.deliver(ndr(first.finding.key, number=7, at=home.clock.now, remote=None, **BLOCKED), "7")
    run_with_probe(home)
    assert first.finding.fingerprint in {
        one.finding.fingerprint for one in home.context.store.incidents.list_open()
    }


def count(home: Home, table: str) -> int:
    with reading(home.context.store.location) as session:
        return int(session.connection().exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_a_digest_of_next_year_ends_no_digest_of_today(home: Home) -> None:
    """Two looks confirmed the wrong clock; then no digest came for a year. Nothing is told twice."""
    home.deliver(ndr(number=1, at=home.clock.now), "1")
    home.clock.now += timedelta(days=1)
    run_with_probe(home)
    home.clock.now += YEAR
    for _ in range(3):
        home.clock.now += timedelta(minutes=5)
        run_with_probe(home)
    home.clock.now -= YEAR
    home.deliver(ndr(number=2, at=home.clock.now), "2")
    made = []
    for _ in range(4):
        home.clock.now += timedelta(hours=12)
        for _ in range(2):
            home.clock.now += timedelta(minutes=5)
            run_with_probe(home)
        today = home.clock.now.date()
        newest = home.context.store.digests.last_date(today)
        if newest is not None and newest not in made:
            made.append(newest)
    assert len(made) >= 2
    digests = home.context.store.digests
    counted = [digests.count(day, "UTC", home.clock.now).bounces.now for day in made[-2:]]
    assert sum(counted) == 1


def test_a_clock_a_year_ahead_for_hours_purges_nothing(open_home: Callable[..., Home]) -> None:
    """Two looks believed it, and everything was too old."""
    home = open_home(('at = "23:30:00"', 'at = "23:30:00"\n[retention]\ndays = 200\nquarantine_days = 200'))
    home.deliver(ndr(number=1, at=home.clock.now), "1")
    for _ in range(3):
        home.clock.now += timedelta(days=1)
        run_with_probe(home)
    home.clock.now += YEAR
    for _ in range(12):
        home.clock.now += timedelta(hours=1)
        run_with_probe(home)
    home.clock.now -= YEAR
    for _ in range(3):
        home.clock.now += timedelta(days=1)
        run_with_probe(home)
    assert count(home, "bounce") == 1


def test_a_first_look_under_a_clock_a_year_ahead_holds_no_reply_of_today(home: Home) -> None:
    """All mail of the year was backlog, and its replies were held."""
    home.deliver(ndr(number=1, at=home.clock.now), "1")
    home.clock.now += YEAR
    run_with_probe(home)
    home.clock.now -= YEAR
    home.deliver(ndr("late@larkfield.example", number=2, at=home.clock.now), "2")
    run_with_probe(home)
    (reply,) = [one for one in home.context.store.outbox.list() if one.recipient == "late@larkfield.example"]
    assert reply.state is OutboxState.SENT


def test_a_mailbox_that_was_read_under_a_clock_a_year_ahead_is_watched_again(home: Home) -> None:
    """It counted as just read for a year."""
    home.clock.now += YEAR
    run_with_probe(home)
    home.clock.now -= YEAR
    (name,) = source_names(home.context.config)
    lines = judge_mailboxes(
        home.context.store, home.context.config, home.clock.now, source_names(home.context.config)
    )
    assert name
    assert worst(lines) is Level.CRITICAL
    run_with_probe(home)
    lines = judge_mailboxes(
        home.context.store, home.context.config, home.clock.now, source_names(home.context.config)
    )
    assert worst(lines) is Level.OK


def test_reports_of_a_clock_a_year_ahead_do_not_hide_that_none_come(home: Home) -> None:
    evidence = home.context.site.accepted_evidence
    for ahead in (timedelta(0), YEAR):
        home.clock.now += ahead
        home.deliver(ndr(number=1 + bool(ahead), at=home.clock.now), str(ahead.days))
        run_with_probe(home)
        home.clock.now -= ahead
    newest = home.context.store.bounces.newest_at(evidence, home.clock.now)
    assert newest is not None
    assert home.clock.now - newest < HOUR
