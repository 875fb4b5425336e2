"""Dead addresses: what proves one, what never counts, what clears it, and how long it takes."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import insert, select

from bounce_watch.model import Action, Cause, Certainty, Evidence, Owner, Persistence, Side
from bounce_watch.model.dead_address import DeadAddress, Verdict
from bounce_watch.store import Store, StoreLocation, tables
from bounce_watch.store.privacy.identity import PersonIdentity
from tests.store.conftest import Ingest
from tests.store.rows import changing
from tests.store.test_incidents import FINDING
from tests.store.values import BOUNCE, NOW

OURS = frozenset({Evidence.INTERNAL, Evidence.MEMBER})
TOLD = replace(BOUNCE, side=Side.THEIRS, certainty=Certainty.TOLD, remote_mta="mx.partner.example")
DAY = timedelta(days=1)


def bounced(ingest: Ingest, *days: float, **changes: Any) -> None:
    """Let a message bounce on each of these days."""
    for day in days:
        at = NOW + day * DAY
        ingest(replace(TOLD, **{"occurred_at": at} | changes), now=at, date=at)


def found(store: Store) -> list[DeadAddress]:
    return store.dead_addresses.find(OURS)


def test_two_bounces_a_day_apart_make_it_sure_and_name_proof_and_writers(
    store: Store, ingest: Ingest
) -> None:
    bounced(ingest, 0)
    (likely,) = found(store)
    assert (likely.verdict, likely.is_sure) == (Verdict.GONE, False)
    bounced(ingest, 2, sender="Ben@contoso.example")
    (sure,) = found(store)
    assert (sure.address, sure.is_sure, sure.messages) == ("no.body@partner.example", True, 2)
    assert sure.senders == ("ben@contoso.example", "anna@contoso.example")
    assert (sure.first_at, sure.last_at) == (NOW, NOW + 2 * DAY)
    proof = store.dead_addresses.proofs([sure.newest])[sure.newest]
    assert (proof.code, proof.said_by) == ("5.1.1", "mx.partner.example")


def test_many_bounces_of_one_day_are_likely_only(store: Store, ingest: Ingest) -> None:
    """A server that lost its directory refuses everybody for some hours."""
    bounced(ingest, 0, 0.2, 0.4, 0.9)
    assert [one.is_sure for one in found(store)] == [False]


@pytest.mark.parametrize(
    ("cause", "verdict"),
    [
        (Cause.MAILBOX_DISABLED, Verdict.CLOSED),
        (Cause.RECIPIENT_MOVED, Verdict.MOVED),
        (Cause.DOMAIN_NOT_FOUND, Verdict.DOMAIN_GONE),
        (Cause.DOMAIN_ACCEPTS_NO_MAIL, Verdict.DOMAIN_GONE),
    ],
)
def test_each_cause_has_its_verdict(store: Store, ingest: Ingest, cause: Cause, verdict: Verdict) -> None:
    bounced(ingest, 0, 3, cause=cause, side=Side.OURS if verdict is Verdict.DOMAIN_GONE else Side.THEIRS)
    assert [(one.verdict, one.is_sure) for one in found(store)] == [(verdict, True)]


@pytest.mark.parametrize(
    ("days", "listed"),
    [((0, 5, 13), []), ((0, 20), []), ((0, 7, 15), [False]), ((0, 20, 46), [True])],
)
def test_a_mailbox_must_be_full_for_long(
    store: Store, ingest: Ingest, days: tuple[float, ...], listed: list[bool]
) -> None:
    temporary = Persistence.TEMPORARY
    bounced(ingest, *days, cause=Cause.MAILBOX_FULL, persistence=temporary, owner=Owner.RECIPIENT_ADMIN)
    assert [one.is_sure for one in found(store)] == listed


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"evidence": Evidence.UNVERIFIED}, id="perhaps-forged"),
        pytest.param({"evidence": Evidence.CONTRADICTORY}, id="forged"),
        pytest.param({"evidence": None}, id="not-judged"),
        pytest.param({"certainty": Certainty.NOT_TOLD}, id="a-bare-code"),
        pytest.param({"certainty": None}, id="judged-by-an-older-version"),
        pytest.param({"side": Side.OURS}, id="our-side"),
        pytest.param({"owner": Owner.MAIL_ADMIN}, id="our-admins-must-act"),
        pytest.param({"owner": Owner.SECURITY}, id="our-security-must-act"),
        pytest.param({"cause": Cause.POLICY_REJECTED}, id="policy"),
        pytest.param({"cause": Cause.BLOCKED_REPUTATION}, id="reputation"),
        pytest.param({"cause": Cause.SENDER_BLOCKED}, id="blocked-sender"),
        pytest.param({"cause": Cause.RECIPIENT_REJECTED}, id="rejected-without-a-reason"),
        pytest.param({"persistence": Persistence.TEMPORARY}, id="for-now"),
        pytest.param({"action": Action.DELAYED}, id="only-delayed"),
        pytest.param({"recipient": "IMCEAEX-_o=x@contoso.example\x00"}, id="an-entry-of-outlook"),
        pytest.param({"recipient": "forgotten-7@forgotten.invalid"}, id="a-forgotten-person"),
    ],
)
def test_what_is_not_about_the_address_never_counts(
    store: Store, ingest: Ingest, changes: dict[str, Any]
) -> None:
    bounced(ingest, 0, 3, 60, **changes)
    assert found(store) == []


@pytest.mark.parametrize("action", [Action.DELIVERED, Action.RELAYED, Action.EXPANDED])
def test_a_later_delivery_clears_an_address_and_an_earlier_one_does_not(
    store: Store, ingest: Ingest, action: Action
) -> None:
    bounced(ingest, 0, 2)
    bounced(ingest, -1, action=action, cause=Cause.UNKNOWN)
    assert len(found(store)) == 1
    bounced(ingest, 3, action=action, cause=Cause.UNKNOWN, evidence=Evidence.UNVERIFIED)
    assert len(found(store)) == 1, "a forged receipt clears nothing"
    bounced(ingest, 4, action=action, cause=Cause.UNKNOWN)
    assert found(store) == []
    bounced(ingest, 5)
    assert [(one.messages, one.is_sure) for one in found(store)] == [(1, False)]


def test_what_an_incident_of_the_security_team_explains_is_no_sign(store: Store, ingest: Ingest) -> None:
    """Whoever stole a password sends to guessed addresses; a colleague who writes there proves more."""
    at, recipient = NOW, "guess@partner.example"
    _, events = ingest(replace(TOLD, recipient=recipient, occurred_at=at), now=at, date=at)
    for owner, dead in ((Owner.MAIL_ADMIN, [recipient]), (Owner.SECURITY, [])):
        finding = replace(FINDING, rule_id=owner, owner=owner, events=(events[0].bounce_id,))
        with store.transaction() as tx:
            tx.incidents.save_finding(finding, NOW, quiet=False)
        assert [one.address for one in found(store)] == dead
    bounced(ingest, 2, recipient=recipient)
    assert [one.address for one in found(store)] == [recipient]


def test_the_newest_word_decides(store: Store, ingest: Ingest) -> None:
    bounced(ingest, 0, 2)
    bounced(ingest, 3, cause=Cause.MAILBOX_FULL)
    assert found(store) == [], "a mailbox that is full exists"
    bounced(ingest, 4, cause=Cause.MAILBOX_DISABLED)
    assert [one.verdict for one in found(store)] == [Verdict.CLOSED]


def test_a_domain_whose_server_answers_again_is_not_gone(store: Store, ingest: Ingest) -> None:
    bounced(ingest, 0, 2, cause=Cause.DOMAIN_NOT_FOUND, side=Side.OURS)
    bounced(ingest, 1, recipient="eva@partner.example", cause=Cause.SPAM_DETECTED)
    assert len(found(store)) == 1
    bounced(ingest, 3, recipient="eva@partner.example", cause=Cause.SPAM_DETECTED)
    assert found(store) == []


def test_a_forgotten_person_is_on_no_list(store: Store, ingest: Ingest) -> None:
    bounced(ingest, 0, 2)
    person = PersonIdentity("no.body@partner.example")
    rows = store.privacy.search(person).rows
    with store.transaction() as tx:
        for table, numbers in rows.items():
            tx.privacy.forget(table, numbers, person, tx.privacy.next_pseudonym(), by="me", now=NOW)
    assert found(store) == []


def judge_many(store: Store, location: StoreLocation, ingest: Ingest, bounces: int) -> float:
    """Store bounces of a tenth as many addresses; return the seconds of our own that the list takes."""
    ingest(TOLD)
    with changing(location) as session:
        (row,) = session.exec(select(tables.Bounce))
        known = {column.key: getattr(row, column.key) for column in tables.Bounce.__table__.columns}  # type: ignore[attr-defined]
        del known["id"]
        rows = [
            known
            | {
                "recipient_key": f"r{number % (bounces // 10)}@firm{number % 50}.example",
                "sender_key": f"s{number % 50}@contoso.example",
                "occurred_at": NOW + timedelta(hours=number),
            }
            for number in range(bounces)
        ]
        session.execute(insert(tables.Bounce), rows)
    started = time.process_time()
    dead = found(store)
    proofs = store.dead_addresses.proofs([one.newest for one in dead])
    took = time.process_time() - started
    assert len(dead) == len(proofs) >= bounces // 10
    print(f"\n{len(dead)} dead addresses of {bounces} bounces in {took:.3f} s")
    return took


def test_the_list_of_two_thousand_bounces_is_quick(
    store: Store, store_location: StoreLocation, ingest: Ingest
) -> None:
    assert judge_many(store, store_location, ingest, 2_000) < 1


@pytest.mark.proof
def test_the_list_of_twenty_thousand_bounces_takes_less_than_a_second(
    store: Store, store_location: StoreLocation, ingest: Ingest
) -> None:
    assert judge_many(store, store_location, ingest, 20_000) < 1
