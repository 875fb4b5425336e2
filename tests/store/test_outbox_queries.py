"""Questions about the outbox: what waits, what is newest, when to look next."""

from datetime import timedelta

from bounce_watch.model import LetterKind, OutboxState
from bounce_watch.store import Store
from tests.store.conftest import Enqueue
from tests.store.values import NOW

MINUTE, TICK = timedelta(minutes=1), timedelta(microseconds=1)


def numbers(mails: object) -> list[int]:
    assert isinstance(mails, tuple)
    return [mail.id for mail in mails]


def test_an_empty_outbox_has_nothing_to_tell(store: Store) -> None:
    assert (store.outbox.list(), store.outbox.newest(), store.outbox.count_held()) == ((), 0, 0)
    assert (store.outbox.next_at(NOW), store.outbox.alerts_after(0)) == (None, ())


def test_the_next_mail_is_the_earliest_that_is_not_due_yet(store: Store, enqueue: Enqueue) -> None:
    """To be sent or to be looked for; what is held or settled has no time."""
    unknown = enqueue("unknown")
    enqueue("held", state=OutboxState.HELD)
    store.claim(unknown, "me", NOW)
    store.finish(unknown, "unknown", "", NOW)
    enqueue("late", wait=11 * MINUTE)
    enqueue("due")
    assert store.outbox.next_at(NOW - TICK) == NOW
    assert store.outbox.next_at(NOW) == NOW + 10 * MINUTE
    assert store.outbox.next_at(NOW + 10 * MINUTE) == NOW + 11 * MINUTE
    assert store.outbox.next_at(NOW + 11 * MINUTE) is None


def test_alerts_after_a_mail_come_oldest_first(store: Store, enqueue: Enqueue) -> None:
    first, second, third = (enqueue(f"alert {n}", kind=LetterKind.ALERT) for n in range(3))
    enqueue("reply")
    assert numbers(store.outbox.alerts_after(0)) == [first, second, third]
    assert numbers(store.outbox.alerts_after(first)) == [second, third]
    assert numbers(store.outbox.alerts_after(0, limit=2)) == [first, second]
    assert store.outbox.newest() == third + 1


def test_held_mails_wait_for_release_and_others_do_not(store: Store, enqueue: Enqueue) -> None:
    held = [enqueue(f"held {n}", state=OutboxState.HELD) for n in range(2)]
    pending = enqueue("pending")
    assert store.outbox.count_held() == 2
    assert numbers(store.outbox.list()) == [pending, *reversed(held)]
    assert numbers(store.outbox.list([OutboxState.HELD, OutboxState.PENDING], limit=2)) == [pending, held[1]]
    assert numbers(store.outbox.list([OutboxState.SENT])) == []


def test_a_time_that_a_wrong_clock_wrote_holds_back_no_mail(store: Store, enqueue: Enqueue) -> None:
    """No mail waits for more than a day by itself."""
    a_day = timedelta(days=1)
    number = enqueue(now=NOW + a_day + TICK)
    assert numbers(store.outbox.due(NOW)) == [number]
    assert numbers(store.outbox.due(NOW + TICK)) == []
    assert store.claim(number, "me", NOW + TICK) is None
    assert store.claim(number, "me", NOW) is not None


def test_the_pace_ends_at_the_minute_and_at_the_hour(store: Store, enqueue: Enqueue) -> None:
    """A mail of exactly a day, an hour or a minute ago counts no more."""
    for event, past in (("day", timedelta(days=1)), ("hour", 60 * MINUTE), ("minute", MINUTE)):
        enqueue(event, now=NOW - past)
    told = store.outbox.reply_history("anna@contoso.example", "spf_failed", NOW)
    assert (told.replies_last_day, told.mails_last_hour, told.mails_last_minute) == (2, 1, 0)
    earlier = store.outbox.reply_history(
        "anna@contoso.example", "mailbox_full", NOW - TICK, event_key="other"
    )
    assert (earlier.replies_last_day, earlier.mails_last_hour, earlier.mails_last_minute) == (3, 2, 1)
    assert (earlier.event_known, earlier.last_reply_at) == (False, NOW - MINUTE)
