"""What we write leaves once: unique events, leases that outlive a crash, honest states."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.store import NotThere, OutboxEntry, Store, tables
from tests.store.committed import committed
from tests.store.conftest import Enqueue, Ingest
from tests.store.test_incidents import FINDING
from tests.store.values import LETTER, NOW

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def entry(store: Store, number: int) -> OutboxEntry:
    return store.outbox.show(number)[0]


def test_the_same_event_is_written_once(store: Store, enqueue: Enqueue) -> None:
    """False is an answer, not a fault: the transaction around it goes on."""
    enqueue("reply-1")
    with store.transaction() as tx:
        again = tx.outbox.enqueue(LETTER, content=b"other", bw_id="x", state=OutboxState.PENDING, now=NOW)
        assert again is False
        tx.outbox.withhold(LETTER.to, "mailbox_full", "told already", NOW)
    assert store.outbox.event_known("reply-1")
    assert [mail.bw_id for mail in store.outbox.list()] == ["id-reply-1"]


@pytest.mark.parametrize("state", [OutboxState.ABANDONED, OutboxState.SENT, OutboxState.FAILED])
def test_an_event_stays_known_whatever_became_of_its_mail(
    store: Store, enqueue: Enqueue, state: OutboxState
) -> None:
    number = enqueue("reply-1")
    outcome = {OutboxState.SENT: "sent", OutboxState.FAILED: "failed"}.get(state)
    if outcome:
        store.claim(number, "me", NOW)
        store.finish(number, outcome, "", NOW)
    else:
        committed(store).outbox.abandon([number], NOW)
    assert entry(store, number).state is state
    with store.transaction() as tx:
        assert not tx.outbox.enqueue(LETTER, content=b"", bw_id="x", state=OutboxState.PENDING, now=NOW)


def test_a_claimed_mail_is_leased_and_carries_its_frozen_bytes(store: Store, enqueue: Enqueue) -> None:
    number = enqueue()
    mail = store.claim(number, "me", NOW, lease_seconds=60)
    assert mail is not None
    assert (mail.recipient, mail.content, mail.attempts) == (LETTER.to, b"From: us\r\n\r\n\xff", 1)
    assert mail.lease_until == NOW + MINUTE
    assert entry(store, number).state is OutboxState.SENDING
    assert store.claim(number, "other", NOW) is None
    assert store.outbox.due(NOW + HOUR) == ()


def test_a_mail_that_is_being_sent_shows_no_old_answer(store: Store, enqueue: Enqueue) -> None:
    """What the server said last time must not pass for what it says now."""
    number = enqueue()
    store.claim(number, "me", NOW)
    store.finish(number, "later", "450 4.2.1 try later", NOW)
    assert store.claim(number, "me", NOW + MINUTE) is not None
    shown = entry(store, number)
    assert (shown.state, shown.server_reply, shown.attempts) == (OutboxState.SENDING, None, 2)


def test_a_sent_mail_is_final(store: Store, enqueue: Enqueue) -> None:
    number = enqueue()
    store.claim(number, "me", NOW)
    assert store.finish(number, "sent", "250 2.0.0 queued as 4F", NOW + MINUTE) is OutboxState.SENT
    assert store.finish(number, "later", "too late", NOW + HOUR) is OutboxState.SENT
    assert committed(store).outbox.retry([number], NOW) == committed(store).outbox.abandon([number], NOW) == 0
    shown = entry(store, number)
    assert (shown.sent_at, shown.server_reply) == (NOW + MINUTE, "250 2.0.0 queued as 4F")
    assert shown.next_at is None


def test_a_crash_between_claim_and_answer_leaves_an_unknown_mail(
    store: Store, enqueue: Enqueue, path: Path
) -> None:
    """It may have arrived: it is not resent before its grace period ends and sent mail was searched."""
    number, other = enqueue("reply-1"), enqueue("reply-2")
    store.claim(number, "me", NOW)
    store.close()
    with Store.open(path) as next_process:
        assert [mail.id for mail in committed(next_process).outbox.recover(NOW + MINUTE)] == [number]
        assert entry(next_process, number).state is OutboxState.UNKNOWN
        assert [mail.id for mail in next_process.outbox.due(NOW + HOUR)] == [other]
        assert next_process.outbox.unknown_due(NOW + 10 * MINUTE) == ()
        assert [mail.id for mail in next_process.outbox.unknown_due(NOW + 11 * MINUTE)] == [number]
        assert committed(next_process).outbox.recover(NOW + HOUR) == ()


@pytest.mark.parametrize("state", [OutboxState.SENT, OutboxState.PENDING, OutboxState.ABANDONED])
def test_an_unknown_mail_is_settled_by_a_look(store: Store, enqueue: Enqueue, state: OutboxState) -> None:
    number = enqueue()
    store.claim(number, "me", NOW)
    assert store.finish(number, "unknown", "connection lost", NOW) is OutboxState.UNKNOWN
    committed(store).outbox.decide(number, state, NOW + HOUR, "looked into Sent Items")
    shown = entry(store, number)
    assert (shown.state, shown.server_reply) == (state, "looked into Sent Items")
    assert bool(store.outbox.due(NOW + HOUR)) is (state is OutboxState.PENDING)
    with pytest.raises(NotThere, match="not unknown"):
        committed(store).outbox.decide(number, state, NOW)


def test_waiting_grows_and_ends_after_two_days(store: Store, enqueue: Enqueue) -> None:
    number, now, pauses = enqueue(), NOW, []
    while True:
        assert store.claim(number, "me", now) is not None
        if store.finish(number, "later", "450 4.2.1 try later", now) is OutboxState.FAILED:
            break
        next_at = entry(store, number).next_at
        assert next_at is not None
        assert store.outbox.due(next_at - timedelta(microseconds=1)) == ()
        assert store.claim(number, "me", next_at - timedelta(microseconds=1)) is None
        pauses.append((next_at - now) // MINUTE)
        now = next_at
    assert pauses[:8] == [1, 2, 5, 15, 30, 60, 60, 60]
    assert set(pauses[6:]) == {60}
    assert NOW + 47 * HOUR < now <= NOW + 48 * HOUR
    assert entry(store, number).server_reply == "450 4.2.1 try later"


def test_a_mail_held_for_days_still_has_its_two_days_after_release(store: Store, enqueue: Enqueue) -> None:
    number, later = enqueue(state=OutboxState.HELD), NOW + timedelta(days=5)
    assert store.outbox.due(later) == ()
    assert committed(store).outbox.release(None, later) == 1
    assert committed(store).outbox.release(None, later) == 0
    for _ in range(10):
        assert store.claim(number, "me", later) is not None
        assert store.finish(number, "later", "", later) is OutboxState.PENDING
        later += HOUR


def test_a_fault_of_the_configuration_costs_no_attempt(store: Store, enqueue: Enqueue) -> None:
    """The reason why sending stopped is kept until a mail is sent again."""
    number = enqueue()
    store.claim(number, "me", NOW)
    assert store.finish(number, "stop", "535 5.7.3 not accepted", NOW) is OutboxState.PENDING
    stopped = store.state.sending_stopped()
    assert stopped is not None
    assert (stopped.at, stopped.why) == (NOW, "535 5.7.3 not accepted")
    assert entry(store, number).attempts == 0
    assert store.claim(number, "me", NOW + MINUTE) is not None
    assert store.finish(number, "stop", "535 5.7.3 not accepted", NOW + HOUR) is OutboxState.PENDING
    assert entry(store, number).next_at == NOW + HOUR
    store.claim(number, "me", NOW + HOUR)
    store.finish(number, "sent", "250", NOW)
    assert store.state.sending_stopped() is None


def test_release_abandon_and_retry_touch_only_what_they_may(store: Store, enqueue: Enqueue) -> None:
    held = [enqueue(f"held-{number}", state=OutboxState.HELD) for number in range(3)]
    pending = enqueue("pending")
    assert committed(store).outbox.release([held[0], pending], NOW) == 1
    assert committed(store).outbox.abandon([held[1]], NOW) == 1
    assert committed(store).outbox.retry(None, NOW) == 0
    assert committed(store).outbox.retry([held[1]], NOW) == 1
    states = {mail.id: mail.state for mail in store.outbox.list()}
    assert states == {held[0]: "pending", held[1]: "pending", held[2]: "held", pending: "pending"}
    assert [mail.id for mail in store.outbox.list([OutboxState.HELD])] == [held[2]]


def test_due_mails_come_longest_waiting_first(store: Store, enqueue: Enqueue) -> None:
    late, early = enqueue("late", now=NOW + MINUTE), enqueue("early")
    assert [mail.id for mail in store.outbox.due(NOW + HOUR)] == [early, late]
    assert [mail.id for mail in store.outbox.due(NOW + HOUR, limit=1)] == [early]
    assert [mail.id for mail in store.outbox.due(NOW)] == [early]


def test_the_gate_learns_who_was_told_what_and_how_fast_we_write(store: Store, enqueue: Enqueue) -> None:
    enqueue("a", now=NOW - 30 * HOUR)
    enqueue("b", now=NOW - 2 * HOUR, cause="spf_failed")
    enqueue("c", now=NOW - 30 * MINUTE, to="bert@contoso.example")
    enqueue("d", now=NOW, kind=LetterKind.ALERT, to="ANNA@contoso.example")
    enqueue("e", now=NOW, state=OutboxState.HELD, to="ANNA@contoso.example")
    committed(store).outbox.abandon([enqueue("f", now=NOW)], NOW)
    told = store.outbox.reply_history("Anna@contoso.example", "mailbox_full", NOW, event_key="c")
    assert told.last_reply_at == NOW
    assert told.replies_last_day == 2
    assert (told.mails_last_minute, told.mails_last_hour) == (1, 2)
    assert told.event_known
    nobody = store.outbox.reply_history("new@contoso.example", "mailbox_full", NOW)
    assert (nobody.last_reply_at, nobody.replies_last_day, nobody.event_known) == (None, 0, False)


def test_what_a_person_releases_is_no_sign_of_a_storm(store: Store, enqueue: Enqueue) -> None:
    for number in range(30):
        enqueue(f"held {number}", now=NOW - HOUR, state=OutboxState.HELD)
    assert committed(store).outbox.release(None, NOW) == 30
    told = store.outbox.reply_history("new@contoso.example", "mailbox_full", NOW)
    assert (told.mails_last_minute, told.mails_last_hour) == (0, 0)


def test_the_gate_sees_what_its_own_transaction_wrote(store: Store) -> None:
    """Two reports in one message must not both pass as the first."""
    with store.transaction() as tx:
        tx.outbox.enqueue(
            LETTER, content=b"", bw_id="1", state=OutboxState.PENDING, now=NOW, cause="spf_failed"
        )
        assert tx.outbox.reply_history(LETTER.to, "spf_failed", NOW).last_reply_at == NOW
        assert tx.outbox.event_known(LETTER.event_key)


def test_what_was_written_or_withheld_stands_beside_its_report(
    store: Store, ingest: Ingest, enqueue: Enqueue
) -> None:
    stored, (event,) = ingest()
    number = enqueue(report_id=stored.report_id)
    with store.transaction() as tx:
        tx.outbox.withhold("list-owner@contoso.example", "mailbox_full", "a robot", NOW, stored.report_id)
    shown = store.history.show(event.bounce_id)
    assert [mail.id for mail in shown.mails] == [number]
    assert [(row.recipient, row.reason) for row in shown.withheld] == [
        ("list-owner@contoso.example", "a robot")
    ]


def test_an_unfamiliar_outcome_is_a_bug_and_changes_nothing(store: Store, enqueue: Enqueue) -> None:
    number = enqueue()
    store.claim(number, "me", NOW)
    with pytest.raises(ValueError, match="perhaps"):
        store.finish(number, "perhaps", "", NOW)
    assert entry(store, number).state is OutboxState.SENDING


def test_a_number_that_is_not_there_is_a_clear_fault(store: Store) -> None:
    with pytest.raises(NotThere, match="no mail 5") as caught:
        store.outbox.show(5)
    assert "outbox list" in caught.value.repair
    for change in (
        lambda: store.claim(5, "me", NOW),
        lambda: store.finish(5, "sent", "250", NOW),
        lambda: committed(store).outbox.decide(5, OutboxState.SENT, NOW),
    ):
        with pytest.raises(NotThere, match="no mail 5") as caught:
            change()
        assert caught.value.repair == "`bounce-watch outbox list` shows them."


def test_a_mail_that_is_settled_waits_for_no_other_look(store: Store, enqueue: Enqueue) -> None:
    """Only what is uncertain is looked for later."""
    number = enqueue()
    before = entry(store, number).next_at
    with store.transaction() as tx:
        tx.outbox.look_later(number, NOW + HOUR)
    assert entry(store, number).next_at == before


def test_an_uncertain_mail_waits_for_another_look(store: Store, enqueue: Enqueue) -> None:
    number = enqueue()
    store.claim(number, "me", NOW)
    store.finish(number, "unknown", "connection lost", NOW)
    with store.transaction() as tx:
        tx.outbox.look_later(number, NOW + HOUR)
    assert store.outbox.unknown_due(NOW + HOUR + 10 * MINUTE - timedelta(microseconds=1)) == ()
    assert [mail.id for mail in store.outbox.unknown_due(NOW + HOUR + 10 * MINUTE)] == [number]


def test_a_look_that_says_nothing_leaves_the_answer_of_the_server(store: Store, enqueue: Enqueue) -> None:
    number = enqueue()
    store.claim(number, "me", NOW)
    store.finish(number, "unknown", "connection lost", NOW)
    committed(store).outbox.decide(number, OutboxState.SENT, NOW + HOUR)
    shown = entry(store, number)
    assert (shown.server_reply, shown.sent_at, shown.next_at) == ("connection lost", NOW + HOUR, None)


def test_the_lease_of_a_living_owner_is_left_until_it_is_over(store: Store, enqueue: Enqueue) -> None:
    mine, theirs = enqueue("reply-1"), enqueue("reply-2")
    store.claim(mine, "dead", NOW)
    store.claim(theirs, "alive", NOW)
    assert [mail.id for mail in committed(store).outbox.recover(NOW + MINUTE, lambda: ["alive"])] == [mine]
    shown = entry(store, mine)
    assert shown.server_reply == "the process ended while this mail was being sent"
    assert committed(store).outbox.recover(NOW + 10 * MINUTE, lambda: ["alive"]) == ()
    late = NOW + 10 * MINUTE + timedelta(microseconds=1)
    assert [mail.id for mail in committed(store).outbox.recover(late, lambda: ["alive"])] == [theirs]


@pytest.mark.parametrize("outcome", ["failed", "unknown", "abandoned"])
def test_what_ended_is_sent_again_by_its_number_as_if_new(
    store: Store, enqueue: Enqueue, outcome: str
) -> None:
    """It has all its attempts and its two days again; without a number only failed ones go."""
    number, later = enqueue(), NOW + timedelta(days=3)
    store.claim(number, "me", NOW)
    store.finish(number, "later" if outcome == "abandoned" else outcome, "550 no", NOW)
    if outcome == "abandoned":
        assert committed(store).outbox.abandon([number], NOW) == 1
    if outcome != "failed":
        assert committed(store).outbox.retry(None, later) == 0
    else:
        assert entry(store, number).next_at is None
    assert committed(store).outbox.retry([number], later) == 1
    shown = entry(store, number)
    assert (shown.state, shown.attempts, shown.next_at) == (OutboxState.PENDING, 0, later)
    store.claim(number, "me", later)
    assert store.finish(number, "later", "450", later) is OutboxState.PENDING


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_what_failed_or_is_uncertain_can_be_given_up(store: Store, enqueue: Enqueue, outcome: str) -> None:
    number = enqueue()
    store.claim(number, "me", NOW)
    assert committed(store).outbox.abandon([number], NOW) == 0
    store.finish(number, outcome, "", NOW)
    assert committed(store).outbox.abandon([number], NOW) == 1
    assert (entry(store, number).state, entry(store, number).next_at) == (OutboxState.ABANDONED, None)


def test_a_machine_that_slept_gives_up_no_mail(store: Store, enqueue: Enqueue) -> None:
    """Two days have passed, but it was tried nine times only; the tenth is the last."""
    number = enqueue()
    for day in range(10):
        now = NOW + timedelta(days=day)
        assert store.claim(number, "me", now) is not None
        outcome = store.finish(number, "later", "450 4.2.1 try later", now)
        assert outcome is (OutboxState.FAILED if day == 9 else OutboxState.PENDING)
    assert entry(store, number).next_at is None


def test_a_mail_that_settles_is_due_when_its_time_has_come(store: Store, enqueue: Enqueue) -> None:
    number = enqueue(wait=5 * MINUTE)
    assert store.outbox.due(NOW + 4 * MINUTE) == ()
    assert [mail.id for mail in store.outbox.due(NOW + 5 * MINUTE)] == [number]


def test_a_mail_about_nothing_in_particular_names_nothing(store: Store) -> None:
    with store.transaction() as tx:
        assert tx.outbox.enqueue(LETTER, content=b"", bw_id="1", state=OutboxState.PENDING, now=NOW) is True
    (mail,) = store.outbox.list()
    assert (mail.cause, mail.report_id, mail.incident, mail.next_at) == (None, None, None, NOW)


def test_a_mail_whose_bytes_were_forgotten_is_given_up_and_never_sent(store: Store) -> None:
    with store.transaction() as tx:
        tx.outbox.enqueue(LETTER, content=b"", bw_id="1", state=OutboxState.HELD, now=NOW)
        number = tx.outbox.newest()
    assert committed(store).outbox.release(None, NOW) == 0
    assert committed(store).outbox.abandon([number], NOW) == 1
    assert committed(store).outbox.retry([number], NOW) == 0


def test_a_mail_about_an_incident_names_it(store: Store, ingest: Ingest, enqueue: Enqueue) -> None:
    ingest()
    with store.transaction() as tx:
        tx.incidents.save_finding(FINDING, NOW, quiet=False)
    number = enqueue(incident=1)
    assert [mail.incident for mail in store.outbox.list()] == [1]
    assert [mail.id for mail in store.incidents.show(1).mails] == [number]


def test_what_was_withheld_from_a_person_is_found_whatever_the_case(store: Store) -> None:
    """A refusal without a recipient is recorded too: a report may have an empty sender."""
    with store.transaction() as tx:
        tx.outbox.withhold("Anna@Contoso.example", "mailbox_full", "told already", NOW)
        tx.outbox.withhold(None, None, "no sender", NOW)
    (mine,) = store.people.person("anna@contoso.example").withheld
    assert (mine.recipient, mine.cause, mine.reason) == (
        "Anna@Contoso.example",
        "mailbox_full",
        "told already",
    )
    assert store.summary.stats().withheld == {"told already": 1, "no sender": 1}
    assert store.people.person("0").withheld == ()


@pytest.mark.parametrize("outcome", ["sent", "later", "failed", "stop", "unknown", "recovered"])
def test_nobody_holds_the_lease_of_a_mail_that_is_not_being_sent(
    store: Store, enqueue: Enqueue, outcome: str
) -> None:
    number = enqueue()
    store.claim(number, "me", NOW)
    assert lease(store, number) == ("me", NOW + 10 * MINUTE)
    if outcome == "recovered":
        committed(store).outbox.recover(NOW)
    else:
        store.finish(number, outcome, "", NOW)
    assert lease(store, number) == (None, None)


def lease(store: Store, number: int) -> tuple[str | None, datetime | None]:
    with store.open_session() as session:
        row = session.get_one(tables.Outgoing, number)
        return row.lease_owner, row.lease_until


def test_the_shortest_mail_can_be_let_go(store: Store, enqueue: Enqueue) -> None:
    """Only a mail without any byte was forgotten."""
    with store.transaction() as tx:
        tx.outbox.enqueue(LETTER, content=b"x", bw_id="1", state=OutboxState.HELD, now=NOW)
    assert committed(store).outbox.release(None, NOW) == 1


def test_a_mail_that_was_sent_after_all_is_sent_whatever_was_thought_of_it(
    store: Store, enqueue: Enqueue
) -> None:
    """The process was slow, not dead: its lease was over, then the server's answer came."""
    number = enqueue()
    store.claim(number, "slow", NOW)
    committed(store).outbox.recover(NOW + HOUR)
    assert store.finish(number, "later", "450", NOW + HOUR) is OutboxState.UNKNOWN
    assert store.finish(number, "sent", "250", NOW + HOUR) is OutboxState.SENT
    assert (entry(store, number).sent_at, entry(store, number).next_at) == (NOW + HOUR, None)


def test_two_days_are_over_after_two_days_and_not_at_their_end(store: Store, enqueue: Enqueue) -> None:
    """The next attempt would fall on the last moment, then behind it."""
    for late in (timedelta(0), timedelta(microseconds=1)):
        number, now = enqueue(f"late by {late}"), NOW
        for _ in range(9):
            store.claim(number, "me", now)
            store.finish(number, "later", "450", now)
            now += HOUR
        now = NOW + 47 * HOUR + late
        store.claim(number, "me", now)
        assert store.finish(number, "later", "450", now) == ("failed" if late else "pending")


def test_a_lease_lasts_ten_minutes_unless_told(store: Store, enqueue: Enqueue) -> None:
    number = enqueue()
    with store.transaction() as tx:
        mail = tx.outbox.claim(number, "me", NOW)
    assert mail is not None
    assert mail.lease_until == NOW + 10 * MINUTE
