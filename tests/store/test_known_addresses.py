"""What the history knows of addresses, and what it must not learn from forged reports."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bounce_watch.model import Action, Cause, Details, Evidence
from bounce_watch.store import Store
from tests.store.conftest import Ingest
from tests.store.test_incidents import FINDING
from tests.store.values import BOUNCE, NOW

OURS = frozenset({Evidence.INTERNAL})
FULL = replace(BOUNCE, recipient="Eva@partner.example", cause=Cause.MAILBOX_FULL)
GONE = replace(BOUNCE, recipient="jo@nowhere.example", cause=Cause.DOMAIN_NOT_FOUND)


def test_an_address_is_known_when_its_mailbox_answered(store: Store, ingest: Ingest) -> None:
    arrived = replace(BOUNCE, recipient="tom@partner.example", action=Action.DELIVERED, cause=Cause.UNKNOWN)
    ingest(FULL, BOUNCE, now=NOW)
    ingest(arrived, now=NOW + timedelta(hours=1))
    assert set(store.known_addresses.at_domain("Partner.example", OURS)) == {
        "eva@partner.example",
        "tom@partner.example",
    }


def test_a_colleague_who_wrote_is_known(store: Store, ingest: Ingest) -> None:
    ingest(BOUNCE)
    assert store.known_addresses.at_domain("contoso.example", OURS) == ("anna@contoso.example",)


@pytest.mark.parametrize("evidence", [Evidence.UNVERIFIED, Evidence.CONTRADICTORY, None])
def test_a_report_that_may_be_forged_teaches_nothing(
    store: Store, ingest: Ingest, evidence: Evidence | None
) -> None:
    stored, _ = ingest(replace(FULL, evidence=evidence))
    assert store.known_addresses.at_domain("partner.example", OURS) == ()
    assert store.known_addresses.domains("anna@contoso.example", "partner.example", OURS) == ()
    since = NOW - timedelta(days=1)
    assert (
        store.known_addresses.earlier_bounces(
            "anna@contoso.example", FULL.recipient, 99, since=since, accepted=OURS
        )
        == 0
    ), stored


def test_a_domain_is_known_when_mail_reached_it(store: Store, ingest: Ingest) -> None:
    """Where the person wrote, and what begins alike for others; never one that does not exist."""
    ingest(BOUNCE, GONE)
    ingest(replace(BOUNCE, sender="tom@contoso.example", recipient="x@paragon.example"))
    ingest(replace(BOUNCE, sender="tom@contoso.example", recipient="x@other.example"))
    assert set(store.known_addresses.domains("Anna@contoso.example", "pratner.example", OURS)) == {
        "partner.example"
    }
    assert set(store.known_addresses.domains("anna@contoso.example", "pa%", OURS)) == {
        "partner.example",
        "paragon.example",
    }


def test_earlier_mails_to_the_same_recipient_are_counted(store: Store, ingest: Ingest) -> None:
    ingest(BOUNCE, replace(BOUNCE, recipient="other@partner.example"))
    ingest(replace(BOUNCE, recipient=BOUNCE.recipient.upper()))
    ingest(replace(BOUNCE, action=Action.DELAYED))
    ingest(replace(BOUNCE, occurred_at=NOW - timedelta(days=40)))
    newest, _ = ingest(BOUNCE)

    def count(**changes: object) -> int:
        asked: dict[str, Any] = {"since": NOW - timedelta(days=30), "accepted": OURS, **changes}
        return store.known_addresses.earlier_bounces(
            "anna@contoso.example", BOUNCE.recipient, newest.report_id, **asked
        )

    assert count() == 2
    assert count(since=NOW - timedelta(days=50)) == 3


def test_the_evidence_of_a_bounce_is_kept(store: Store, ingest: Ingest) -> None:
    details = Details(blocked_ip="192.0.2.7", size_limit=20, retry_until=NOW)
    ingest(replace(BOUNCE, details=details), FULL)
    assert [row.bounce.details for row in store.history.find()] == [None, details]


def test_the_evidence_of_an_incident_is_found(store: Store, ingest: Ingest) -> None:
    known = Details(blocklist="Spamhaus")
    _, events = ingest(replace(BOUNCE, details=known), FULL)
    ingest(replace(BOUNCE, details=Details(blocklist="SpamCop")))
    finding = replace(FINDING, events=tuple(event.bounce_id for event in events))
    with store.transaction() as tx:
        number = tx.incidents.save_finding(finding, NOW, quiet=False).incident.number
    assert store.incidents.refusal_examples(number).details == (known,)
