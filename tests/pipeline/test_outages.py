"""A mailbox that cannot be read: one mail when it lasts, one when it is over."""

from datetime import timedelta

from bounce_watch.config.models import Config
from bounce_watch.pipeline.health import Level, Line, for_digest, judge_health, worst
from bounce_watch.pipeline.incidents.mailbox_outage import note_fault, note_recovery
from bounce_watch.source.interface import Refused
from tests.pipeline.conftest import Home, ndr

NAME = "imap://bounces@larkfield.example@mail/INBOX"
FAULT = Refused(
    "the client secret has expired\r\nBcc: x", "make a new one", ("Add-MailboxPermission -Identity b",)
)
MINUTE = timedelta(minutes=1)


def subjects(home: Home) -> list[str]:
    return [entry.subject for entry in reversed(home.context.store.outbox.list())]


def test_an_outage_is_told_once_after_an_hour_and_its_end_once(home: Home) -> None:
    for minutes in (0, 30, 59):
        home.clock.now += MINUTE * minutes
        assert not note_fault(home.context, NAME, "europe", FAULT) or minutes == 59
    assert not note_fault(home.context, NAME, "europe", FAULT)
    assert subjects(home) == ["The bounce mailbox europe cannot be read"]
    _, content = home.context.store.outbox.show(home.context.store.outbox.newest())
    assert b"Add-MailboxPermission -Identity b" in content
    assert b"\r\nBcc:" not in content
    assert note_recovery(home.context, NAME, "europe")
    assert not note_recovery(home.context, NAME, "europe")
    assert subjects(home)[1:] == ["[Resolved] The bounce mailbox europe is read again"]


def test_a_short_outage_is_told_to_nobody(home: Home) -> None:
    note_fault(home.context, NAME, "europe", FAULT)
    home.clock.now += 59 * MINUTE
    assert not note_recovery(home.context, NAME, "europe")
    note_fault(home.context, NAME, "europe", FAULT)
    home.clock.now += 59 * MINUTE
    note_fault(home.context, NAME, "europe", FAULT)
    assert subjects(home) == []


def test_the_digest_names_a_mailbox_that_cannot_be_read(home: Home) -> None:
    home.look()
    note_fault(home.context, NAME, "europe", FAULT)
    for minutes, state in ((0, "warning"), (31, "failure")):
        home.clock.now += minutes * MINUTE
        lines = for_digest(tuple(condition(home, europe=NAME).values()))
        told = [(line.state, NAME in line.text) for line in lines if line.name == "Mailbox"]
        assert told == [(state, True)]


def condition(home: Home, *workers: str, **sources: str) -> dict[str, Line]:
    lines = judge_health(home.context.store, home.config, home.clock.now, sources=sources, workers=workers)
    return {line.name: line for line in lines}


def levels(home: Home, **sources: str) -> dict[str, Level]:
    """Return the parts that are not well."""
    return {name: line.level for name, line in condition(home, "process 7", **sources).items() if line.level}


def watched(config: Config) -> str:
    return f"maildir:{config.source[0].place}"


def test_all_is_well_after_a_look(home: Home) -> None:
    home.look()
    assert levels(home, europe=watched(home.config)) == {}
    assert worst(tuple(condition(home, "process 7", europe=watched(home.config)).values())) is Level.OK


def test_a_mailbox_is_critical_once_it_is_stale(home: Home) -> None:
    name = watched(home.config)
    assert levels(home, europe=name) == {"mailbox europe": Level.WARNING}  # never read
    home.look()
    home.clock.now += 29 * MINUTE
    assert levels(home, europe=name) == {}
    note_fault(home.context, name, "europe", FAULT)
    assert levels(home, europe=name) == {"mailbox europe": Level.WARNING}
    home.clock.now += 2 * MINUTE
    assert levels(home, europe=name) == {"mailbox europe": Level.CRITICAL}
    assert "the client secret has expired" in condition(home, europe=name)["mailbox europe"].text


def test_what_a_person_must_see_to_is_told(home: Home) -> None:
    home.look()
    home.deliver(ndr(), "1")
    home.look()
    with home.context.store.transaction() as tx:
        tx.state.latch_breaker(home.clock.now)
        tx.state.note_stop("535 5.7.3 no", home.clock.now)
    found = condition(home, europe=watched(home.config))
    wrong = {name: line.level for name, line in found.items() if line.level}
    assert wrong == {"service": Level.WARNING, "breaker": Level.CRITICAL, "sending": Level.CRITICAL}
