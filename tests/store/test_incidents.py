"""An incident opens once, gathers its proof, and has a history."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bounce_watch.model import Finding, IncidentState, OutboxState, Owner, Severity
from bounce_watch.store import Change, NotThere, Store
from tests.store.conftest import Ingest
from tests.store.values import BOUNCE, LETTER, NOW

HOUR = timedelta(hours=1)
FINDING = Finding(
    rule_id="spf-many-senders",
    key="contoso.example",
    title="Receivers refuse contoso.example for SPF",
    severity=Severity.HIGH,
    owner=Owner.MAIL_ADMIN,
    playbook="spf",
    first_at=NOW,
    last_at=NOW,
    messages=1,
    senders=("anna@contoso.example",),
    recipient_domains=("partner.example",),
    statuses=("5.7.23",),
    events=(),
)


def found(*bounce_ids: int, **values: Any) -> Finding:
    return replace(FINDING, events=bounce_ids, messages=len(bounce_ids), **values)


def test_a_finding_opens_one_incident_and_feeds_it(store: Store, ingest: Ingest) -> None:
    """What the newest window no longer sees stays proof: messages and names add up."""
    ids = [ingest()[1][0].bounce_id for _ in range(3)]
    with store.transaction() as tx:
        opened = tx.incidents.save_finding(found(ids[0]), NOW, quiet=False)
        same = tx.incidents.save_finding(found(ids[0]), NOW + HOUR, quiet=False)
        fed = tx.incidents.save_finding(
            found(ids[1], ids[2], senders=("bert@contoso.example",), last_at=NOW + HOUR),
            NOW + HOUR,
            quiet=False,
        )
    assert (opened.change, same.change, fed.change) == (Change.OPENED, Change.UNCHANGED, Change.UPDATED)
    assert opened.incident.number == same.incident.number == fed.incident.number == 1
    (listed,) = store.incidents.list_open()
    assert listed.name == "INC-1"
    assert listed.finding.messages == 3
    assert listed.finding.senders == ("anna@contoso.example", "bert@contoso.example")
    assert (listed.finding.first_at, listed.finding.last_at) == (NOW, NOW + HOUR)
    assert (listed.opened_at, listed.updated_at, listed.resolved_at) == (NOW, NOW + HOUR, None)


def test_messages_are_counted_not_recipients(store: Store, ingest: Ingest) -> None:
    """One mail to three people that fails is one failure."""
    others = [replace(BOUNCE, recipient=f"p{number}@partner.example") for number in range(2)]
    _, events = ingest(BOUNCE, *others)
    (more,) = ingest()[1]
    with store.transaction() as tx:
        tx.incidents.save_finding(replace(found(events[0].bounce_id), messages=1), NOW, quiet=False)
        everything = (*(event.bounce_id for event in events), more.bounce_id)
        fed = tx.incidents.save_finding(replace(found(*everything), messages=2), NOW, quiet=False)
    assert fed.incident.finding.messages == 2


def test_growth_is_told_when_an_incident_doubles(store: Store, ingest: Ingest) -> None:
    ids = [ingest()[1][0].bounce_id for _ in range(9)]
    with store.transaction() as tx:
        tx.incidents.save_finding(found(*ids[:2]), NOW, quiet=False)
        for size in range(3, 10):
            tx.incidents.save_finding(found(*ids[:size]), NOW, quiet=False)
    assert [(line.change, line.messages) for line in store.incidents.show(1).changes] == [
        ("opened", 2),
        ("grew", 4),
        ("grew", 8),
    ]


def test_after_resolution_the_same_fingerprint_opens_a_new_incident(store: Store, ingest: Ingest) -> None:
    one, two = (ingest()[1][0].bounce_id for _ in range(2))
    with store.transaction() as tx:
        tx.incidents.save_finding(found(one), NOW, quiet=False)
        resolved = tx.incidents.resolve(1, NOW + HOUR, by="root", why="record corrected")
        tx.incidents.resolve(1, NOW + 2 * HOUR, by="root", why="twice")
        second = tx.incidents.save_finding(found(two), NOW + 3 * HOUR, quiet=True)
    assert (resolved.state, resolved.resolved_at) == (IncidentState.RESOLVED, NOW + HOUR)
    assert (second.change, second.incident.number) == (Change.OPENED, 2)
    first, second_shown = store.incidents.show(1), store.incidents.show(2)
    assert [(line.change, line.by, line.note) for line in first.changes] == [
        ("opened", "bounce_watch", ""),
        ("resolved", "root", "record corrected"),
    ]
    assert (second_shown.previous, second_shown.quiet) == (1, True)
    assert [incident.number for incident in store.incidents.list()] == [2, 1]
    assert [incident.number for incident in store.incidents.list(IncidentState.RESOLVED)] == [1]


def test_different_keys_of_one_rule_are_different_incidents(store: Store, ingest: Ingest) -> None:
    (event,) = ingest()[1]
    with store.transaction() as tx:
        tx.incidents.save_finding(found(event.bounce_id), NOW, quiet=False)
        tx.incidents.save_finding(found(event.bounce_id, key="fabrikam.example"), NOW, quiet=False)
    assert len(store.incidents.list_open()) == 2
    assert {incident.number for incident in store.history.show(event.bounce_id).incidents} == {1, 2}


def test_an_incident_shows_its_proof_and_its_mails(store: Store, ingest: Ingest) -> None:
    (event,) = ingest()[1]
    with store.transaction() as tx:
        number = tx.incidents.save_finding(found(event.bounce_id), NOW, quiet=False).incident.number
        tx.outbox.enqueue(LETTER, content=b"", bw_id="1", state=OutboxState.PENDING, now=NOW, incident=number)
    shown = store.incidents.show(number)
    assert shown.incident.finding.events == (event.bounce_id,)
    assert [row.id for row in shown.bounces] == [event.bounce_id]
    assert shown.bounces[0].subject == "Offer 50%_off"
    assert [mail.event_key for mail in shown.mails] == [LETTER.event_key]


def test_hostile_names_in_a_finding_are_scrubbed(store: Store, ingest: Ingest) -> None:
    """A key with a lone surrogate finds its incident again instead of opening one each time."""
    (event,) = ingest()[1]
    hostile = found(event.bounce_id, key="\ud800\x00.example", senders=("\udfff@x.example",), title="\x00")
    with store.transaction() as tx:
        tx.incidents.save_finding(hostile, NOW, quiet=False)
    with store.transaction() as tx:
        assert tx.incidents.save_finding(hostile, NOW, quiet=False).change is Change.UNCHANGED
    assert store.incidents.show(1).incident.finding.senders == ("\ufffd@x.example",)


def test_an_incident_that_is_not_there_is_a_clear_fault(store: Store) -> None:
    with pytest.raises(NotThere, match="INC-9"):
        store.incidents.show(9)
    with store.transaction() as tx, pytest.raises(NotThere, match="INC-9"):
        tx.incidents.resolve(9, NOW)
