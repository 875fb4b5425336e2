"""Too many at once: replies stop at the caps, stay stopped, and go on when an admin says so."""

import json
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline.digest import gather
from bounce_watch.pipeline.health import for_digest, judge_health
from bounce_watch.pipeline.ingest.message import ingest_messages
from bounce_watch.pipeline.outbox.enqueue import clear_breaker
from bounce_watch.source.interface import Message
from tests.pipeline.conftest import CONFIG, START, Home, ndr
from tests.program import run_program
from tests.servers.kept import FILE
from tests.store.committed import committed

pytestmark = pytest.mark.slow


def storm(home: Home, first: int, count: int, seconds_between: float) -> None:
    """Let bounces of as many people arrive, so many seconds apart, each mail due at once."""
    for number in range(first, first + count):
        home.clock.now += timedelta(seconds=seconds_between)
        place = MessageLocation(mailbox="storm", validity=1, uid=str(number))
        # Distinct addresses and causes that no rule gathers: only the pace may stop an answer.
        raw = ndr(
            f"user{number}@larkfield.example", f"x@firm{number}.example", number=number, at=home.clock.now
        )
        message = Message(location=place, raw=raw, size=len(raw), received_at=home.clock.now)
        ingest_messages(home.context, [(message, home.context.reader.read(raw))])


def replies(home: Home, state: OutboxState = OutboxState.PENDING) -> int:
    written = home.context.store.outbox.list([state], limit=10_000)
    return sum(mail.kind is LetterKind.REPLY for mail in written)


def reasons(home: Home, now: datetime) -> dict[str, int]:
    return {count.label: count.now for count in gather(home.config, home.context.store, now).withheld}


@pytest.mark.parametrize("reports", [200, pytest.param(2_000, marks=pytest.mark.proof)])
def test_a_storm_of_reports_stops_at_the_cap_of_a_minute(home: Home, reports: int) -> None:
    """All within a minute: twenty answers leave, everything else waits."""
    storm(home, 1, reports, 50 / reports)
    assert replies(home) == 20
    assert home.context.store.state.breaker_latched_at() is not None
    assert replies(home, OutboxState.HELD) == reports - 20
    assert reasons(home, home.clock.now) == {}


def test_a_slow_storm_stops_at_the_cap_of_an_hour(home: Home) -> None:
    """Fifteen a minute are below the first cap; the second one holds."""
    storm(home, 1, 240, 4)
    assert replies(home) == 200
    assert replies(home, OutboxState.HELD) == 40


def test_the_breaker_stays_latched_however_quiet_it_gets_until_somebody_clears_it(home: Home) -> None:
    storm(home, 1, 30, 0.1)
    home.clock.now += timedelta(days=1)
    storm(home, 100, 1, 1)
    assert replies(home) == 20
    with home.context.store.transaction() as tx:
        assert clear_breaker(tx, home.context.policy, home.clock.now) == 11
        assert clear_breaker(tx, home.context.policy, home.clock.now) is None
    storm(home, 200, 1, 1)
    assert replies(home) == 32


def test_what_waited_for_the_breaker_leaves_within_the_limits_once_it_is_cleared(home: Home) -> None:
    storm(home, 1, 60, 0.1)
    home.look()
    assert len(home.sent()) == 20
    home.clock.now += timedelta(days=3)
    with home.context.store.transaction() as tx:
        assert clear_breaker(tx, home.context.policy, home.clock.now) == 40
    per_minute = []
    while len(home.sent()) < 60:
        before = len(home.sent())
        home.look()
        per_minute.append(len(home.sent()) - before)
        home.clock.now += timedelta(minutes=1)
    assert max(per_minute) <= 4
    assert home.context.store.state.breaker_latched_at() is None


def test_what_an_admin_must_release_does_not_leave_because_the_breaker_is_cleared(
    open_home: Callable[..., Home],
) -> None:
    home = open_home(('mode = "on"', 'mode = "preview"'))
    storm(home, 1, 3, 1)
    with home.context.store.transaction() as tx:
        tx.state.latch_breaker(home.clock.now)
    storm(home, 10, 1, 1)
    with home.context.store.transaction() as tx:
        assert clear_breaker(tx, home.context.policy, home.clock.now) == 0
    assert replies(home, OutboxState.HELD) == 4


def test_alerts_and_digests_leave_while_the_breaker_is_latched(home: Home) -> None:
    storm(home, 1, 30, 0.1)
    home.deliver(
        ndr(number=99, reply="550 5.1.8 bad outbound sender AS(42004)", status="5.1.8", remote=None), "9"
    )
    result = home.look()
    assert len(result.opened) >= 1
    assert [mail for mail in home.sent() if b"To: security@larkfield.example" in mail]


def test_health_and_the_digest_say_that_replies_are_stopped(home: Home) -> None:
    storm(home, 1, 30, 0.1)
    health = judge_health(home.context.store, home.config, home.clock.now, sources={}, workers=None)
    lines = [line for line in for_digest(health) if line.name == "Replies"]
    assert [line.state for line in lines] == ["failure"]
    assert "bounce-watch outbox breaker" in lines[0].text
    digest = gather(home.config, home.context.store, home.clock.now)
    letter = home.context.composer.digest(digest, to="mailadmin@larkfield.example", event_key="d")
    assert "bounce-watch outbox breaker" in letter.text


def test_the_breaker_is_shown_and_cleared_by_a_command(home: Home, store_line: str) -> None:
    (home.folder / "config.toml").write_text(CONFIG.replace(FILE, store_line))

    def breaker(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = run_program("-c", str(home.folder / "config.toml"), "breaker", *arguments)
        done.check_returncode()
        return done

    assert json.loads(breaker("status", "--json").stdout) == {"latched": False, "since": None, "waiting": 0}
    storm(home, 1, 30, 0.1)
    assert json.loads(breaker("status", "--json").stdout)["latched"] is True
    assert "too many" in breaker("status").stderr
    assert "10 replies wait" in breaker("status").stderr
    assert "allowed again" in breaker("clear").stderr
    assert json.loads(breaker("status", "--json").stdout)["latched"] is False
    assert "not stopped" in breaker("clear").stderr


@pytest.mark.parametrize(
    ("setting", "waiting", "state"),
    [
        pytest.param("", 1, OutboxState.HELD, id="always"),
        pytest.param("hold_backlog_over = 2", 3, OutboxState.HELD, id="more-than-a-site-allows"),
        pytest.param("hold_backlog_over = 2", 2, OutboxState.SENT, id="as-few-as-a-site-allows"),
    ],
)
def test_what_lay_there_before_the_first_look_waits_for_release(
    open_home: Callable[..., Home], setting: str, waiting: int, state: OutboxState
) -> None:
    home = open_home(("settle_seconds = 0", f"settle_seconds = 0\n{setting}"))
    for number in range(waiting):
        home.deliver(ndr(f"user{number}@larkfield.example", number=number), str(number))
    home.clock.now = START + timedelta(minutes=1)
    home.look()
    assert {mail.state for mail in home.context.store.outbox.list()} == {state}
    home.deliver(ndr("late@larkfield.example", number=77), "77")
    home.look()
    assert home.context.store.outbox.list(limit=1)[0].state is OutboxState.SENT


def test_releasing_a_week_of_previews_latches_nothing(open_home: Callable[..., Home]) -> None:
    """The first thing an admin does after the safe first run."""
    home = open_home(('mode = "on"', 'mode = "preview"'))
    for number in range(30):
        raw = ndr(f"person{number}@larkfield.example", f"x@firm{number}.example", number=number)
        home.deliver(raw, str(number))
    assert home.look().letters == 30
    home.clock.now += timedelta(hours=1)
    assert committed(home.context.store).outbox.release(None, home.clock.now) == 30
    home.deliver(ndr("last@larkfield.example", "x@last.example", number=99), "99")
    result = home.look()
    assert (result.letters, result.delivered.sent) == (1, 30)
    assert home.context.store.state.breaker_latched_at() is None
