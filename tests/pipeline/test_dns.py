"""What DNS proves at the first bounce, and what it never changes: who is answered, and when."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import dns.rcode
import pytest

from bounce_watch.model import IncidentState
from bounce_watch.model.dns import DnsVerdict, Question
from bounce_watch.pipeline.digest import gather
from tests.pipeline.conftest import Home, ndr
from tests.servers.names import NameServer

Build = Callable[..., Home]
DOMAIN = "larkfield.example"
EXCHANGE = "include:spf.protection.outlook.com"
GOOD, BAD = f"v=spf1 {EXCHANGE} -all", "v=spf1 ip4:198.51.100.1 -all"
MICROSOFT = "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:104.47.0.0/17 -all"
SPF = "550 5.7.23 The message was rejected because of Sender Policy Framework violation"
GONE = "550 5.4.310 DNS domain fabrikam.example does not exist [Message=InfoDomainNonexistent]"
SECONDS = 1.0


@pytest.fixture
def names() -> Iterator[NameServer]:
    with NameServer({DOMAIN: [BAD], "spf.protection.outlook.com": [MICROSOFT]}) as server:
        yield server


def watching(open_home: Build, server: str, use: str = "incidents", seconds: float = SECONDS) -> Home:
    section = f'[dns]\nuse = "{use}"\nservers = ["{server}"]\nseconds = {seconds}\n[digest]'
    return open_home(("[digest]", section))


def at(names: NameServer) -> str:
    return f"127.0.0.1:{names.port}"


def bounce(home: Home, number: int, reply: str = SPF, recipient: str = "desk@fabrikam.example") -> None:
    sender, status = f"user{number}@{DOMAIN}", reply.split()[1]
    raw = ndr(sender, recipient, number=number, at=home.clock(), reply=reply, status=status)
    home.deliver(raw, f"{number}.x")
    home.look()
    home.clock.now += timedelta(minutes=2)
    home.look()


def letters(home: Home) -> list[EmailMessage]:
    return [message_from_bytes(raw, policy=default) for raw in home.sent()]


def alerts(home: Home) -> list[EmailMessage]:
    return [mail for mail in letters(home) if "INC-" in mail["subject"]]


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def test_the_first_bounce_opens_the_incident_and_its_alert_names_term_and_record(
    open_home: Build, names: NameServer
) -> None:
    home = watching(open_home, at(names))
    bounce(home, 1)
    (incident,) = home.context.store.incidents.list()
    assert (incident.finding.rule_id, incident.finding.key) == ("dns_proven", DOMAIN)
    (alert,) = alerts(home)
    said = text(alert)
    assert f"Exchange Online is not authorized, -all decides: fail; {EXCHANGE} is missing" in said
    assert f"v=spf1 ip4:198.51.100.1 {EXCHANGE} -all" in said
    assert BAD in said


def test_a_dead_domain_opens_an_incident_and_the_letter_says_when_it_was_asked(
    open_home: Build, names: NameServer
) -> None:
    home = watching(open_home, at(names))
    bounce(home, 1, GONE)
    (incident,) = home.context.store.incidents.list()
    assert (incident.finding.rule_id, incident.finding.key) == ("dns_proven_destination", "fabrikam.example")
    letter = next(mail for mail in letters(home) if mail["to"] == f"user1@{DOMAIN}")
    assert "The domain doesn't exist (asked at 09:00)." in text(letter)


def test_a_typing_error_proves_no_fault_of_a_domain(open_home: Build, names: NameServer) -> None:
    home = watching(open_home, at(names))
    bounce(home, 1, GONE, "anna@gmial.com")
    assert home.context.store.incidents.list() == ()
    assert "asked at" in text(letters(home)[0])


def test_where_nothing_is_proven_the_thresholds_stand(open_home: Build, names: NameServer) -> None:
    names.records[DOMAIN] = [GOOD]
    home = watching(open_home, at(names))
    for number in range(1, 5):
        bounce(home, number)
        opened = [one.finding.rule_id for one in home.context.store.incidents.list()]
        assert opened == (["spf_many_senders"] if number >= 4 else [])
    assert "passes by" in text(alerts(home)[0])


def test_nothing_is_asked_when_it_is_off_or_about_strangers(open_home: Build, names: NameServer) -> None:
    home = watching(open_home, at(names), use="off")
    bounce(home, 1)
    bounce(home, 2, GONE)
    assert names.asked == {}
    home.context.close()


def test_an_outsider_makes_us_ask_nothing(open_home: Build, names: NameServer) -> None:
    """A report that is not trusted, and one about a sender of another organization."""
    home = watching(open_home, at(names))
    home.deliver(ndr(reply=SPF, status="5.7.23", authority="Anonymous"), "1.x")
    home.deliver(ndr("mallory@elsewhere.example", reply=SPF, status="5.7.23", number=2), "2.x")
    home.look()
    assert names.asked == {}


@contextmanager
def _dead(_: NameServer) -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    yield f"127.0.0.1:{port}"


@contextmanager
def _silent(_: NameServer) -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def _slow(names: NameServer) -> Iterator[str]:
    names.delay = 0.7
    yield at(names)


@contextmanager
def _failing(names: NameServer) -> Iterator[str]:
    names.failure = dns.rcode.SERVFAIL
    yield at(names)


@contextmanager
def _lame(names: NameServer) -> Iterator[str]:
    names.failure = dns.rcode.REFUSED
    yield at(names)


@pytest.mark.parametrize("trouble", [_dead, _silent, _slow, _failing, _lame])
def test_a_resolver_in_trouble_delays_alerts_by_seconds_and_changes_nothing_else(
    open_home: Build, names: NameServer, trouble: Callable[[NameServer], object]
) -> None:
    """The same incident opens at the same bounce, the same people are written to."""
    with trouble(names) as server:  # type: ignore[attr-defined]
        home = watching(open_home, server)
        for number in range(1, 5):
            home.deliver(
                ndr(f"user{number}@{DOMAIN}", number=number, reply=SPF, status="5.7.23"), f"{number}.x"
            )
        began = time.monotonic()
        home.look()
        took = time.monotonic() - began
        home.clock.now += timedelta(minutes=2)
        home.look()
    assert took < SECONDS + 4, "four reports without DNS take a fraction of a second"
    (incident,) = home.context.store.incidents.list()
    assert incident.finding.rule_id == "spf_many_senders"
    (alert,) = alerts(home)
    assert "could not be asked" in text(alert)
    assert sorted(mail["to"] for mail in letters(home) if mail["to"] != alert["to"]) == [
        f"user{number}@{DOMAIN}" for number in range(1, 5)
    ]


def test_a_finding_never_changes_who_is_answered(open_home: Build, names: NameServer) -> None:
    home = watching(open_home, at(names))
    for number in range(1, 5):
        bounce(home, number)
    assert {one.finding.rule_id for one in home.context.store.incidents.list()} == {
        "dns_proven",
        "spf_many_senders",
    }
    answered = sorted(mail["to"] for mail in letters(home) if mail["to"].startswith("user"))
    assert answered == [f"user{number}@{DOMAIN}" for number in range(1, 5)]
    assert all("INC-1" in alert["subject"] for alert in alerts(home))


def test_a_repair_is_noted_while_caches_hold_the_old_record_and_then_resolves(
    open_home: Build, names: NameServer
) -> None:
    names.ttl = 7200
    home = watching(open_home, at(names))
    bounce(home, 1)
    names.records[DOMAIN] = [GOOD]
    home.clock.now += timedelta(minutes=20)
    home.look()
    detail = home.context.store.incidents.show(1)
    assert detail.incident.state is IncidentState.OPEN
    assert "caches may hold the old record" in detail.changes[-1].note
    home.clock.now += timedelta(hours=2)
    home.look()
    detail = home.context.store.incidents.show(1)
    assert detail.incident.state is IncidentState.RESOLVED
    over = alerts(home)[-1]
    assert over["subject"].startswith("[Resolved]")
    assert "DNS: 40." in text(over)
    bounce(home, 2)
    assert home.context.store.incidents.show(1).incident.state is IncidentState.RESOLVED
    assert {change.change for change in detail.changes} == {"opened", "note", "resolved"}


def test_a_changed_record_is_told_in_the_incident_and_in_the_digest(
    open_home: Build, names: NameServer
) -> None:
    names.records[DOMAIN] = [GOOD]
    home = watching(open_home, at(names), use="daily")
    home.look()
    names.records[DOMAIN] = [BAD]
    home.clock.now += timedelta(hours=3)
    bounce(home, 1)
    said = text(alerts(home)[0])
    assert "SPF of larkfield.example changed between" in said
    assert f"- {GOOD}" in said
    digest = gather(home.config, home.context.store, home.clock())
    (change,) = digest.records
    assert (change.before, change.after) == (GOOD, BAD)
    assert change.until - change.since == timedelta(hours=3)
    letter = home.context.composer.digest(digest, event_key="x", to="a@larkfield.example")
    assert f"+ {BAD}" in " ".join(letter.text.split())


def test_questions_are_limited_by_the_hour(open_home: Build, names: NameServer) -> None:
    home = open_home(
        (
            "[digest]",
            f'[dns]\nuse = "incidents"\nservers = ["{at(names)}"]\nqueries_per_hour = 1\n[digest]',
        )
    )
    bounce(home, 1)
    bounce(home, 2, GONE)
    assert sum(names.asked.values()) == 1
    found = home.context.store.dns.newest([DOMAIN, "fabrikam.example"])
    assert {one.verdict for one in found} == {DnsVerdict.UNASKED}
    assert found[0].question is Question.SPF
