"""Two processes at one outbox on a server: neither takes the other's mail or waits for it in vain.

A file has one writer at a time, so only two connections to a server can tell these apart.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bounce_watch.model import OutboxState
from bounce_watch.store import Store
from tests.servers.stores import Stores
from tests.store.committed import committed
from tests.store.conftest import Enqueue
from tests.store.rows import changing_one_mail, open_impatient, reading
from tests.store.values import NOW

MINUTE = timedelta(minutes=1)
_BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
Meanwhile = Callable[..., Any]


@pytest.fixture
def store(stores: Stores) -> Iterator[Store]:
    with Store.open(stores.empty()) as opened:
        yield opened


@pytest.fixture
def other(store: Store) -> Iterator[Store]:
    """The store of a second process, which soon gives up to wait."""
    with open_impatient(store.location, "3s") as opened:
        yield opened


@pytest.fixture
def while_it_waits(store: Store) -> Iterator[Meanwhile]:
    """Start a call and return its future once the call waits for a lock, or is over."""
    with ThreadPoolExecutor(1) as pool:

        def start(call: Callable[..., object], *arguments: object) -> Future[object]:
            future = pool.submit(call, *arguments)
            while not future.done() and not _blocked(store):
                pass
            return future

        yield start


def _blocked(store: Store) -> bool:
    with reading(store.location) as session:
        return bool(session.connection().execute(text(_BLOCKED)).scalar())


def state(store: Store, number: int) -> OutboxState:
    return store.outbox.show(number)[0].state


def test_a_mail_that_is_being_taken_is_left_at_once_and_others_can_be_taken(
    store: Store, other: Store, enqueue: Enqueue
) -> None:
    """Neither process waits: with a wait, the second one would fail here."""
    wanted, free = enqueue("wanted"), enqueue("free")
    with changing_one_mail(store.location) as tx:
        assert tx.outbox.claim(wanted, "me", NOW) is not None
        assert other.claim(wanted, "other", NOW) is None
        assert other.claim(free, "other", NOW) is not None
    assert other.claim(wanted, "other", NOW) is None


def test_no_mail_is_taken_twice_by_many_at_once(store: Store, enqueue: Enqueue) -> None:
    numbers = [enqueue(f"reply-{number}") for number in range(30)]

    def take_all(owner: str) -> list[int]:
        with Store.open(store.location) as mine:
            return [number for number in numbers if mine.claim(number, owner, NOW)]

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take_all, "abcd"))
    assert sorted(number for some in taken for number in some) == numbers


def test_what_is_just_being_settled_is_not_recovered_and_nobody_waits_for_it(
    store: Store, other: Store, enqueue: Enqueue
) -> None:
    settling, dead = enqueue("settling"), enqueue("dead")
    for number in (settling, dead):
        store.claim(number, "me", NOW)
    with changing_one_mail(store.location) as tx:
        tx.outbox.finish(settling, "sent", "250", NOW)
        assert [mail.id for mail in committed(other).outbox.recover(NOW + MINUTE)] == [dead]
    assert (state(store, settling), state(store, dead)) == (OutboxState.SENT, OutboxState.UNKNOWN)


def test_a_second_answer_waits_for_the_first_and_sees_it(
    store: Store, other: Store, enqueue: Enqueue, while_it_waits: Meanwhile
) -> None:
    """Otherwise a mail that was sent would be put off, and sent again."""
    number = enqueue()
    store.claim(number, "me", NOW)
    with changing_one_mail(store.location) as tx:
        tx.outbox.finish(number, "sent", "250", NOW)
        second = while_it_waits(other.finish, number, "later", "450", NOW)
        assert not second.done()
    assert second.result() is OutboxState.SENT
    assert store.outbox.show(number)[0].server_reply == "250"


def test_a_mail_that_is_being_taken_is_not_given_up(
    store: Store, other: Store, enqueue: Enqueue, while_it_waits: Meanwhile
) -> None:
    """The person who gave it up learns that it was too late."""
    number = enqueue()
    with changing_one_mail(store.location) as tx:
        assert tx.outbox.claim(number, "me", NOW) is not None
        given_up = while_it_waits(committed(other).outbox.abandon, [number], NOW)
        assert not given_up.done()
    assert given_up.result() == 0
    assert state(store, number) is OutboxState.SENDING
