"""Bytes that could not be read are kept and can be requeued."""

from hashlib import sha256

import pytest

from bounce_watch.store import MessageState, NotThere, QuarantineState, Store
from tests.store.committed import committed, state_at
from tests.store.values import NOW, body, place

RAW = b"\x00\xff\r\n not a mail" * 1000


def put(store: Store, uid: str = "1") -> int:
    with store.transaction() as tx:
        for _ in range(3):
            tx.messages.note_failure(**place(uid), reason="nested too deep", now=NOW)
        return tx.quarantine.add(
            **place(uid),
            sha256=sha256(RAW).hexdigest(),
            raw=RAW,
            reason="nested too deep",
            received_at=NOW,
            now=NOW,
        )


def test_quarantined_bytes_come_back_unchanged(store: Store) -> None:
    number = put(store)
    assert state_at(store, **place()) is MessageState.QUARANTINED
    (listed,) = store.quarantine.list()
    shown, raw = store.quarantine.show(number)
    assert raw == RAW
    assert listed == shown
    assert (shown.size, shown.attempts, shown.reason, shown.uid) == (len(RAW), 3, "nested too deep", "1")


def test_requeued_bytes_can_be_stored_as_if_they_were_new(store: Store) -> None:
    number = put(store)
    entry, raw = committed(store).quarantine.requeue(number)
    assert (entry.state, raw) == (QuarantineState.REQUEUED, RAW)
    assert state_at(store, **place()) is MessageState.SEEN
    with store.transaction() as tx:
        assert tx.messages.note_failure(**place(), reason="again", now=NOW) == 1
        tx.messages.add_message(**place(), **body())
    assert state_at(store, **place()) is MessageState.STORED
    assert store.quarantine.list() == ()
    assert [row.id for row in store.quarantine.list(None)] == [number]


def test_a_requeued_message_that_fails_again_is_quarantined_again(store: Store) -> None:
    first = put(store)
    committed(store).quarantine.requeue(first)
    second = put(store)
    assert [row.id for row in store.quarantine.list()] == [second]
    with pytest.raises(NotThere, match="requeued already"):
        committed(store).quarantine.requeue(first)


def test_a_message_that_is_not_in_quarantine_is_a_clear_fault(store: Store) -> None:
    with pytest.raises(NotThere, match="no quarantined message 9"):
        store.quarantine.show(9)


def test_a_requeue_that_was_cut_short_can_be_repeated(store: Store) -> None:
    """A version before this one marked the row first and stored the message later."""
    number = put(store)
    committed(store).quarantine.requeue(number)
    assert committed(store).quarantine.requeue(number)[1] == RAW
