"""Messages, reports and bounces go in once, together, whatever is written in them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bounce_watch.model import Action, Cause, Evidence, OriginalMessage
from bounce_watch.store import HistoryFilter, MessageState, NotThere, Store
from tests.store.committed import set_state, state_at
from tests.store.conftest import Ingest
from tests.store.values import BOUNCE, NOW, REPORT, body, place

HOSTILE = "a\x00b\ud800c\udfff@evil\udc80.example"
SCRUBBED = "a\ufffdb\ufffdc\ufffd@evil\ufffd.example"


def test_a_message_is_known_by_mailbox_validity_and_uid_together(store: Store) -> None:
    """Each of the three alone would skip new mail after a renumbering or in another mailbox."""
    with store.transaction() as tx:
        tx.messages.add_message(**place("1"), **body())
    assert state_at(store, **place("1")) is MessageState.STORED
    assert state_at(store, **place("2")) is None
    assert state_at(store, **place("1", validity=8)) is None
    assert state_at(store, **place("1", mailbox="imap:other/INBOX")) is None


def test_a_place_is_stored_once(store: Store) -> None:
    with store.transaction() as tx:
        tx.messages.add_message(**place(), **body())
    with pytest.raises(NotThere, match="stored already"), store.transaction() as tx:
        tx.messages.add_message(**place(), **body())


def test_a_report_delivered_twice_is_a_duplicate_without_bounces(store: Store, ingest: Ingest) -> None:
    """The copy keeps its own row, so that its message can be filed, and has no effect."""
    first, events = ingest(fingerprint="same")
    copy, no_events = ingest(fingerprint="same", envelopes=("journal",))
    again, _ = ingest(fingerprint="same")
    assert first.duplicate_of is None
    assert copy.duplicate_of == again.duplicate_of == first.report_id
    assert len(events) == 1
    assert no_events == ()
    assert store.history.count() == 1
    assert store.history.show(events[0].bounce_id).report.copies == (copy.report_id, again.report_id)


def test_reports_without_a_fingerprint_are_never_taken_for_duplicates(ingest: Ingest) -> None:
    """A false duplicate is a lost bounce."""
    assert ingest(fingerprint="")[0].duplicate_of is None
    assert ingest(fingerprint="")[0].duplicate_of is None


def test_an_error_in_the_block_undoes_all_of_it(store: Store) -> None:
    def ingest_and_die() -> None:
        with store.transaction() as tx:
            message = tx.messages.add_message(**place(), **body())
            stored = tx.messages.add_report(message, REPORT, evidence=Evidence.INTERNAL, tests=(), now=NOW)
            tx.messages.add_bounces(stored, [BOUNCE], NOW)
            raise RuntimeError("died here")

    with pytest.raises(RuntimeError, match="died here"):
        ingest_and_die()
    assert state_at(store, **place()) is None
    assert store.history.count() == 0


def test_only_failed_recipients_are_events_for_the_rules(store: Store, ingest: Ingest) -> None:
    delayed = replace(BOUNCE, recipient="late@partner.example", action=Action.DELAYED)
    _, events = ingest(BOUNCE, delayed)
    assert [event.recipient for event in events] == [BOUNCE.recipient]
    assert store.history.count() == 2


@pytest.mark.parametrize(
    ("bounce_at", "arrival", "date", "expected"),
    [
        pytest.param(NOW - timedelta(hours=3), None, None, NOW - timedelta(hours=3), id="its own"),
        pytest.param(None, NOW - timedelta(days=2), NOW, NOW, id="the report's date, not the mail's arrival"),
        pytest.param(None, None, NOW - timedelta(hours=1), NOW - timedelta(hours=1), id="the report's date"),
        pytest.param(None, None, None, NOW, id="the message's arrival"),
        pytest.param(datetime(9999, 1, 1, tzinfo=UTC), None, None, NOW, id="a claimed future is now"),
    ],
)
def test_every_bounce_gets_a_time(
    ingest: Ingest, bounce_at: datetime, arrival: datetime, date: datetime, expected: datetime
) -> None:
    _, (event,) = ingest(replace(BOUNCE, occurred_at=bounce_at), arrival_date=arrival, date=date)
    assert event.occurred_at == expected
    assert event.occurred_at.tzinfo is UTC


def test_hostile_text_is_scrubbed_not_raised(store: Store, ingest: Ingest) -> None:
    """Lone surrogates and NUL raise in every database; what the rules see equals what is stored."""
    bounce = replace(BOUNCE, recipient=HOSTILE, sender=HOSTILE, diagnostic_code=HOSTILE * 1000)
    stored, (event,) = ingest(
        bounce,
        message_id=HOSTILE,
        fingerprint=HOSTILE,
        envelopes=(HOSTILE,),
        original=OriginalMessage(subject=HOSTILE, automatic=(HOSTILE,)),
    )
    shown = store.history.show(event.bounce_id)
    assert shown.bounce is not None
    assert event.recipient == shown.bounce.bounce.recipient == SCRUBBED
    assert shown.report.report.original.subject == SCRUBBED
    assert shown.report.report.envelopes == (SCRUBBED,)
    assert shown.bounce.bounce.diagnostic_code is not None
    assert len(shown.bounce.bounce.diagnostic_code) == 4000
    assert ingest(fingerprint=HOSTILE)[0].duplicate_of == stored.report_id


def test_numbers_of_any_size_are_held_within_the_column(store: Store) -> None:
    """A UIDVALIDITY or size of thirty digits is a server's lie, not our crash."""
    with store.transaction() as tx:
        tx.messages.add_message(**place(validity=10**30), **(body() | {"size": -(10**30)}))
    assert state_at(store, **place(validity=10**30)) is MessageState.STORED


def test_a_failure_is_counted_until_the_message_is_read(store: Store) -> None:
    failure = place() | {"reason": "the reader gave up", "now": NOW}
    for attempts in (1, 2, 3):
        with store.transaction() as tx:
            assert tx.messages.note_failure(**failure) == attempts
    assert state_at(store, **place()) is MessageState.SEEN
    with store.transaction() as tx:
        number = tx.messages.add_message(**place(), **body())
        set_state(tx, number, MessageState.FILED)
        set_state(tx, number, MessageState.FILED)
    assert state_at(store, **place()) is MessageState.FILED


def test_events_are_found_by_key_cause_status_and_time(store: Store, ingest: Ingest) -> None:
    """Addresses are compared without regard to case, as Exchange does."""
    blocked = replace(BOUNCE, status="5.1.8", cause=Cause.SENDER_BLOCKED, sender="Anna@Contoso.example")
    old = replace(BOUNCE, occurred_at=NOW - timedelta(hours=5))
    ids = [ingest(bounce)[1][0].bounce_id for bounce in (old, BOUNCE, blocked)]

    def found(**asked: object) -> list[int]:
        window = {"since": NOW - timedelta(hours=24), "until": NOW} | asked
        return [event.bounce_id for event in store.bounces.events(**window)]  # type: ignore[arg-type]

    assert found() == ids
    assert found(since=NOW - timedelta(hours=1)) == ids[1:]
    assert found(sender=["anna@contoso.EXAMPLE"]) == ids
    assert found(sender=["nobody@contoso.example", "Anna@contoso.example"]) == ids
    assert found(sender=["nobody@contoso.example"]) == []
    assert found(sender_domain=["contoso.example"], causes={Cause.SENDER_BLOCKED}) == ids[2:]
    assert found(statuses=["5.1.8"]) == ids[2:]
    assert found(recipient_domain=["other.example"]) == []
    assert found(limit=2) == ids[1:]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec=None), min_size=1, max_size=80))
def test_any_text_is_stored_and_found_again(store: Store, ingest: Ingest, text: str) -> None:
    """Whatever a mail holds, typing it into the search finds it; every sign stands for itself."""
    _, (event,) = ingest(replace(BOUNCE, recipient=text, diagnostic_code=f"550 {text} refused"))
    assert event.bounce_id in {row.id for row in store.history.find(HistoryFilter(text=text), limit=None)}
