"""Short ways to change and to ask a store: `committed(store).outbox.release(None, NOW)`."""

from dataclasses import dataclass
from typing import Any

from bounce_watch.store import MessageState, Store, Transaction, tables
from bounce_watch.store.database.columns import scrub
from bounce_watch.store.store import StoreQueries


@dataclass(frozen=True)
class _Repository:
    store: Store
    name: str

    def __getattr__(self, method: str) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            with self.store.transaction() as tx:
                return getattr(getattr(tx, self.name), method)(*args, **named)

        return call


@dataclass(frozen=True)
class committed:  # noqa: N801 - reads as a function
    """The repositories of a transaction that is committed after each call."""

    store: Store

    def __getattr__(self, repository: str) -> _Repository:
        return _Repository(self.store, repository)


def state_at(store: StoreQueries, *, mailbox: str, validity: int, uid: str) -> MessageState | None:
    """Return how far the message at a place came, None for an unknown place."""
    uid = scrub(uid)
    return store.messages.states_at(mailbox, validity, [uid]).get(uid)


def set_state(tx: Transaction, number: int, state: MessageState) -> None:
    """Bring a message to a state, as its move or a failure would."""
    tx.session.get_one(tables.Message, number).state = state
