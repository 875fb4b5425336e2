"""Faults in real zones, behind a real resolver: each is named, and what is proposed mends it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import spf as pyspf

from bounce_watch.dns.evaluate import MOST_LOOKUPS, MOST_VOID, evaluate
from bounce_watch.dns.proposal import NOBODY
from bounce_watch.dns.questions import Ask, Known, answers
from bounce_watch.dns.resolver import MOST_QUESTIONS, Resolver
from bounce_watch.dns.spf import ask_spf, exchange_addresses
from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question
from tests.dns.zones import ADDRESS, EXCHANGE, ZONES, Zone
from tests.servers.dns_world import DnsWorld

NOW = datetime(2026, 11, 30, 9, 12, tzinfo=UTC)
pytestmark = pytest.mark.xdist_group("dns")


@pytest.fixture(scope="module")
def world(dns_world: DnsWorld) -> DnsWorld:
    """All zones at once: no name belongs to two."""
    dns_world.publish(record for zone in ZONES for record in zone.published())
    return dns_world


def asked(world: DnsWorld, zone: Zone) -> tuple[DnsFinding, Resolver]:
    names = Resolver([world.server], 20)
    ask = Ask(questions=(zone.question,), subject=zone.domain, address=zone.address)
    ours = (zone.address,) if zone.address else ()
    (found,) = answers(names, ask, Known(selectors=["selector1"], ours=ours), NOW)
    return found, names


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.id)
def test_a_fault_is_named_with_its_term_and_mended_by_what_is_proposed(world: DnsWorld, zone: Zone) -> None:
    found, names = asked(world, zone)
    assert found.verdict is zone.verdict, found.why
    assert [word for word in zone.words if word not in found.why] == [], found.why
    assert names.asked <= MOST_QUESTIONS
    assert (found.publish is not None) is zone.publishes, found.why
    if found.publish is None:
        return
    if zone.question is Question.SPF:
        assert_proposal_holds(names, zone, found.publish)
    else:
        assert found.publish.startswith("v=DMARC1; p=")


def assert_proposal_holds(names: Resolver, zone: Zone, publish: str) -> None:
    strings = publish.strip('"').split('" "')
    record = "".join(strings)
    assert max(map(len, strings)) <= 255
    needed = [*([zone.address] if zone.address else exchange_addresses(names, zone.domain))]
    assert needed
    looks = [evaluate(names, zone.domain, address, record) for address in needed]
    assert {look.verdict for look in looks} == {"pass"}
    nobody = evaluate(names, zone.domain, NOBODY, record)
    assert nobody.verdict in ("fail", "softfail")
    assert nobody.lookups <= MOST_LOOKUPS
    assert len(nobody.voids) <= MOST_VOID


def test_pyspf_is_of_the_same_opinion_about_every_proposal(
    world: DnsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second implementation of RFC 7208, by other people, with other bugs."""
    names = Resolver([world.server], 60)

    def lookup(name: str, kind: str, *_strict: object, **_more: object) -> Iterator[tuple[object, object]]:
        for value in names.lookup(str(name), kind).values:
            preference, _, host = value.partition(" ")
            shown: object = (int(preference), host.rstrip(".")) if kind == "MX" else value
            yield (name, kind), (value.encode(),) if kind == "TXT" else shown

    monkeypatch.setattr(pyspf, "DNSLookup", lookup)
    count = 0
    for zone in (zone for zone in ZONES if zone.question is Question.SPF):
        publish = asked(world, zone)[0].publish
        record = "".join((publish or "").strip('"').split('" "'))
        address = zone.address or "40.107.1.1"
        query = pyspf.query(i=address, s=f"postmaster@{zone.domain}", h=zone.domain, strict=True)
        names.begin()
        assert query.check(spf=record)[0] == "pass", (zone.id, record, query.check(spf=record))
        count += 1
    assert count >= 25


def test_sound_records_of_every_kind_have_no_fault(dns_world: DnsWorld) -> None:
    from tests.dns.zones import KEY, dmarc, key

    records = [
        ("", "TXT", f'"v=spf1 {EXCHANGE} -all"'),
        key(f"v=DKIM1; k=rsa; p={KEY}"),
        dmarc("v=DMARC1; p=reject; rua=mailto:dmarc\\064sound.example"),
        ("", "MX", "10 mx.sound.example."),
        ("mx", "A", ADDRESS),
        ("_mta-sts", "TXT", '"v=STSv1; id=20261130"'),
        ("mta-sts", "A", ADDRESS),
        ("_25._tcp.mx", "TLSA", "3 1 1 " + "ab" * 32),
    ]
    zone = Zone(id="sound", question=Question.SPF, words=(), records=tuple(records))
    reverse = ("7.2.0.192.in-addr.arpa", "PTR", "mx.sound.example.")
    dns_world.publish([*zone.published(), reverse])
    ask = Ask(questions=tuple(Question), subject="sound.example")
    names = Resolver([dns_world.server], 20)
    known = Known(selectors=["selector1"])
    found = list(answers(names, Ask(questions=ask.questions[:5], subject="sound.example"), known, NOW))
    found += answers(names, Ask(questions=(Question.PTR,), subject=ADDRESS), known, NOW)
    assert {one.question: one.why for one in found if one.verdict is not DnsVerdict.OK} == {}
    assert len(found) == 6


def test_a_repair_under_the_running_servers_is_seen(dns_world: DnsWorld) -> None:
    broken = ("shop.example", "TXT", '"v=spf1 ip4:198.51.100.1 -all"')
    dns_world.publish([broken])
    first = ask_spf(Resolver([dns_world.server], 10), "shop.example", NOW)
    assert first.verdict is DnsVerdict.FAULT
    dns_world.publish([("shop.example", "TXT", f'"{first.publish}"')])
    assert ask_spf(Resolver([dns_world.server], 10), "shop.example", NOW).verdict is DnsVerdict.OK


def test_an_address_is_judged_by_its_name_and_by_lists(dns_world: DnsWorld) -> None:
    lists = [
        ("2.0.0.127.good.bl.invalid", "A", "127.0.0.2"),
        ("7.2.0.192.good.bl.invalid", "A", "127.0.0.4"),
        ("7.2.0.192.good.bl.invalid", "TXT", '"sends spam"'),
        ("2.0.0.127.refusing.bl.invalid", "A", "127.255.255.254"),
        ("2.0.0.127.all.bl.invalid", "A", "127.0.0.2"),
        ("1.0.0.127.all.bl.invalid", "A", "127.0.0.2"),
        ("7.2.0.192.in-addr.arpa", "PTR", "mail.example."),
        ("mail.example", "A", "192.0.2.8"),
    ]
    dns_world.publish(lists)
    blocklists = [f"{name}.bl.invalid" for name in ("good", "refusing", "all", "silent")]
    ask = Ask(questions=(Question.PTR, Question.BLOCKLIST), subject=ADDRESS)
    found = list(answers(Resolver([dns_world.server], 20), ask, Known(blocklists=blocklists), NOW))
    assert [one.verdict for one in found] == ["fault", "fault", "unasked", "unasked", "unasked"]
    reverse, listed, refusing, everything, silent = found
    assert "mail.example leads to 192.0.2.8" in reverse.why
    assert "sends spam" in listed.why
    assert "127.255.255.254" in refusing.why
    assert "lists 127.0.0.1" in everything.why
    assert "does not list 127.0.0.2" in silent.why
    clean = Ask(questions=(Question.PTR, Question.BLOCKLIST), subject="192.0.2.9")
    none, unlisted = answers(
        Resolver([dns_world.server], 20), clean, Known(blocklists=["good.bl.invalid"]), NOW
    )
    assert (none.verdict, unlisted.verdict) == ("absent", "ok")


def test_the_worst_record_takes_no_more_questions_than_allowed(dns_world: DnsWorld) -> None:
    """Ten times mx with ten servers each: within RFC 7208, and more than a hundred lookups."""
    records = [
        ("worst.example", "TXT", '"v=spf1 ' + " ".join(f"mx:m{n}.worst.example" for n in range(9)) + ' -all"')
    ]
    for n in range(9):
        records += [(f"m{n}.worst.example", "MX", f"10 h{m}.m{n}.worst.example.") for m in range(10)]
        records += [(f"h{m}.m{n}.worst.example", "A", "198.51.100.1") for m in range(10)]
    dns_world.publish(records)
    names = Resolver([dns_world.server], 20)
    found = ask_spf(names, "worst.example", NOW)
    assert 20 < names.asked <= MOST_QUESTIONS
    assert found.verdict is DnsVerdict.UNASKED


def test_long_records_and_circles_end(dns_world: DnsWorld) -> None:
    long = " ".join(f'"{"x" * 250}"' for _ in range(40))
    dns_world.publish(
        [
            ("long.example", "TXT", long),
            ("long.example", "TXT", f'"v=spf1 {EXCHANGE} -all"'),
            ("circle.example", "CNAME", "back.example."),
            ("back.example", "CNAME", "circle.example."),
        ]
    )
    names = Resolver([dns_world.server], 10)
    assert ask_spf(names, "long.example", NOW).verdict is DnsVerdict.OK
    assert ask_spf(names, "circle.example", NOW).verdict is not DnsVerdict.OK
