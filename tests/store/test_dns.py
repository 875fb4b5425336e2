"""What DNS said is kept once for each answer, tells what changed when, and goes as everything else goes."""

from dataclasses import replace
from datetime import timedelta

from bounce_watch.model.dns import DnsFinding, DnsVerdict, Question
from bounce_watch.pipeline.maintenance import forget, purge
from bounce_watch.store import Store
from bounce_watch.store.maintenance.retention import Digested, RetentionLimits
from bounce_watch.store.privacy.identity import PersonIdentity
from bounce_watch.store.queries.digest_counts import MARKED
from tests.store.committed import committed
from tests.store.values import NOW

HOUR = timedelta(hours=1)
FIRST = DnsFinding(
    question=Question.DMARC,
    subject="contoso.example",
    name="_dmarc.contoso.example",
    verdict=DnsVerdict.OK,
    record="v=DMARC1; p=none; rua=mailto:anna@contoso.example",
    why="p=none",
    asked_at=NOW,
    ttl=300,
)
SECOND = replace(FIRST, record="v=DMARC1; p=reject", why="p=reject", asked_at=NOW + 3 * HOUR)
SPF = replace(FIRST, question=Question.SPF, name="contoso.example", record="v=spf1 -all")
UNASKED = replace(FIRST, verdict=DnsVerdict.UNASKED, record=None, why="no answer", asked_at=NOW + 2 * HOUR)


def test_an_equal_answer_only_notes_when_it_was_seen_again(store: Store) -> None:
    committed(store).dns.record([FIRST])
    committed(store).dns.record([replace(FIRST, asked_at=NOW + HOUR, ttl=60)])
    (found,) = store.dns.history(["contoso.example"])
    assert (found.first_at, found.asked_at, found.ttl) == (NOW, NOW + HOUR, 60)


def test_a_change_is_told_with_the_span_in_which_it_happened(store: Store) -> None:
    """What was not answered is no change; the record of a stranger's domain is none of ours."""
    other = replace(FIRST, question=Question.MX, subject="fabrikam.example", name="fabrikam.example")
    committed(store).state.start_run(NOW - HOUR)
    committed(store).dns.record([SPF, FIRST, other])
    committed(store).dns.record([UNASKED])
    committed(store).dns.record([SECOND, replace(other, record=None, asked_at=NOW + HOUR)])
    with store.transaction() as tx:
        (change,) = tx.digests.count(NOW.date(), "UTC", NOW + 4 * HOUR).records
    assert (change.before, change.after) == (FIRST.record, SECOND.record)
    assert (change.since, change.until) == (NOW, NOW + 3 * HOUR)
    assert store.dns.changes(NOW + 4 * HOUR, NOW + 5 * HOUR, ["contoso.example"]) == ()


def test_old_answers_are_purged_but_the_newest_to_each_question_stays(store: Store) -> None:
    committed(store).dns.record([FIRST, SECOND, SPF])
    late = NOW + timedelta(days=900)
    digested = Digested(marks=dict.fromkeys(MARKED, 0), until=None)
    limits = RetentionLimits(before=late, mails_before=late, quarantined_before=late, digested=digested)
    assert purge(store, limits, keep=True) == {"dns": 1}
    assert {one.record for one in store.dns.history(["contoso.example"])} == {SECOND.record, SPF.record}


def test_a_person_in_a_record_is_forgotten(store: Store) -> None:
    committed(store).dns.record([FIRST, SECOND])
    person = PersonIdentity("anna@contoso.example")
    found = store.privacy.search(person)
    assert found.count("dns_finding") == 1
    assert forget(store, person, found, by="admin", now=NOW).left == 0
    records = [one.record or "" for one in store.dns.history(["contoso.example"])]
    assert not any("anna" in record for record in records)
