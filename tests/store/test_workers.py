"""Several watchers at one server: each works on its own messages, and those of a dead one are free."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bounce_watch.model import OutboxState
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.store import AlreadyStored, Server, Store, StoreUnreachable, work_with, workers
from bounce_watch.store.database.workers import MAX_LOCATIONS, PostgresWorker
from tests.servers.stores import Stores
from tests.store.committed import committed, state_at
from tests.store.rows import changing_one_mail
from tests.store.values import LETTER, NOW, body, place


def at(uid: str) -> MessageLocation:
    return MessageLocation(mailbox="maildir:/bounces", validity=0, uid=uid)


FIRST = at("1")


@pytest.fixture
def server(stores: Stores) -> Server:
    return stores.empty()


@pytest.fixture
def store(server: Server) -> Iterator[Store]:
    with Store.open(server) as opened:
        yield opened


@pytest.fixture
def pair(server: Server) -> Iterator[tuple[PostgresWorker, PostgresWorker]]:
    with PostgresWorker(server) as first, PostgresWorker(server) as second:
        yield first, second


def test_a_place_is_in_one_hand(pair: tuple[PostgresWorker, PostgresWorker]) -> None:
    first, second = pair
    assert first.claim([FIRST])
    assert first.claim([FIRST])
    assert not second.claim([FIRST])
    assert second.claim([FIRST, at("2")]) == {at("2")}
    first.release([FIRST])
    assert second.claim([FIRST])
    assert not first.claim([FIRST])
    second.release()
    assert first.claim([FIRST])


def test_one_leads_until_it_ends(server: Server) -> None:
    with PostgresWorker(server) as second:
        with PostgresWorker(server) as first:
            assert first.leads()
            assert not second.leads()
            assert first.leads()
            assert set(second.at_work()) == {first.owner, second.owner}
            assert len(workers(server)) == 2
        assert second.leads()
        assert list(second.at_work()) == [second.owner]
    assert workers(server) == ()


def test_a_watcher_that_lost_the_server_has_nothing_in_hand(
    pair: tuple[PostgresWorker, PostgresWorker], stores: Stores
) -> None:
    first, second = pair
    assert first.leads()
    assert first.claim([FIRST])
    stores.cut()
    for _ in range(2):
        try:
            assert second.claim([FIRST])
        except StoreUnreachable:
            continue
    assert second.leads()
    with pytest.raises(StoreUnreachable):
        first.leads()
    assert not first.leads()
    assert not first.claim([FIRST])
    assert set(first.at_work()) == {first.owner, second.owner}


def test_no_more_is_taken_in_hand_than_the_server_can_remember(server: Server) -> None:
    with PostgresWorker(server) as watcher:
        locations = [at(str(number)) for number in range(MAX_LOCATIONS + 1)]
        assert watcher.claim(locations) == set(locations[:-1])
        assert not watcher.claim(locations[-1:])
        watcher.release()
        assert watcher.claim([FIRST])


def test_a_mail_is_leased_once_and_taken_over_from_the_dead_only(store: Store, server: Server) -> None:
    with store.transaction() as tx:
        tx.outbox.enqueue(LETTER, content=b"frozen", bw_id="1", state=OutboxState.PENDING, now=NOW)
    (entry,) = store.outbox.due(NOW)
    with PostgresWorker(server) as other, work_with(server) as own:
        assert store.claim(entry.id, other.owner, NOW) is not None
        assert store.claim(entry.id, own.owner, NOW) is None
        assert committed(store).outbox.recover(NOW, own.at_work) == ()
        assert [row.id for row in committed(store).outbox.recover(NOW + timedelta(hours=1), own.at_work)] == [
            entry.id
        ]
        committed(store).outbox.decide(entry.id, OutboxState.PENDING, NOW)
        assert store.claim(entry.id, other.owner, NOW) is not None
    assert [row.id for row in committed(store).outbox.recover(NOW, list)] == [entry.id]


def test_a_mail_that_another_takes_just_now_is_passed_over(store: Store, server: Server) -> None:
    with store.transaction() as tx:
        tx.outbox.enqueue(LETTER, content=b"frozen", bw_id="1", state=OutboxState.PENDING, now=NOW)
    (entry,) = store.outbox.due(NOW)
    with changing_one_mail(server) as tx:
        assert tx.outbox.claim(entry.id, "other", NOW) is not None
        assert store.claim(entry.id, "own", NOW) is None


def test_a_person_and_a_watcher_never_change_one_mail_at_once(store: Store, server: Server) -> None:
    """Who abandons a mail waits for the lease that is just being written, and then finds it is sent."""
    import threading

    with store.transaction() as tx:
        tx.outbox.enqueue(LETTER, content=b"frozen", bw_id="1", state=OutboxState.PENDING, now=NOW)
    (entry,) = store.outbox.due(NOW)
    abandoned: list[int] = []
    person = threading.Thread(
        target=lambda: abandoned.append(committed(store).outbox.abandon([entry.id], NOW))
    )
    with changing_one_mail(server) as tx:
        tx.outbox.claim(entry.id, "other", NOW)
        person.start()
        person.join(0.3)
        assert person.is_alive()
    person.join()
    assert abandoned == [0]
    assert store.outbox.show(entry.id)[0].state is OutboxState.SENDING


def test_a_place_that_was_stored_by_another_is_told_apart(store: Store) -> None:
    with store.transaction() as tx:
        tx.messages.add_message(**place(), **body())
    with pytest.raises(AlreadyStored), store.transaction() as tx:
        tx.messages.add_message(**place(), **body())


def test_what_another_stored_since_is_not_taken_for_moved(store: Store) -> None:
    with store.transaction() as tx:
        tx.messages.add_message(**place("1"), **body())
    newest = store.messages.newest()
    with store.transaction() as tx:
        tx.messages.add_message(**place("2"), **body())
        tx.messages.note_moved(place()["mailbox"], up_to=newest)
    states = [state_at(store, **place(uid)) for uid in ("1", "2")]
    assert states == ["filed", "stored"]
