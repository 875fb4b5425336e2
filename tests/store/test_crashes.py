"""A process that dies at once, without a word, loses nothing and repeats nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from bounce_watch.model import OutboxState
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.store import MessageState, Store
from tests.store.committed import committed, state_at
from tests.store.values import LETTER, NOW, body, place

pytestmark = pytest.mark.slow

DIE = """
import os, sys
from pathlib import Path
from bounce_watch.model import OutboxState
from bounce_watch.store import Store
from tests.store.values import *
store = Store.open(Path(sys.argv[1]))
{steps}
os._exit(9)
"""
WRITE = """
    tx.messages.add_message(**place(), **body())
    tx.outbox.enqueue(LETTER, content=b"frozen", bw_id="1", state=OutboxState.PENDING, now=NOW)
"""


def die_after(path: Path, steps: str) -> None:
    """Run the steps in a process that ends without closing or committing anything more."""
    script = DIE.format(steps=steps)
    ended = subprocess.run([sys.executable, "-c", script, str(path)], cwd=Path.cwd(), check=False)
    assert ended.returncode == 9


def test_death_inside_a_transaction_leaves_nothing_of_it(path: Path) -> None:
    die_after(path, f"tx = store.transaction().__enter__(){WRITE.replace('    ', '')}")
    with Store.open(path) as store:
        assert state_at(store, **place()) is None
        assert store.outbox.list() == ()


def test_death_after_the_commit_leaves_all_of_it(path: Path) -> None:
    """The message is stored and its mail waits; the move in the mailbox is simply done again."""
    die_after(path, f"with store.transaction() as tx:{WRITE}")
    with Store.open(path) as store:
        assert state_at(store, **place()) is MessageState.STORED
        assert [mail.event_key for mail in store.outbox.due(NOW)] == [LETTER.event_key]


@pytest.mark.parametrize(
    ("last", "state"),
    [
        pytest.param("", OutboxState.UNKNOWN, id="before the answer"),
        pytest.param('store.finish(1, "sent", "250", NOW)', OutboxState.SENT, id="after the answer"),
    ],
)
def test_death_while_sending_is_never_a_second_mail(path: Path, last: str, state: OutboxState) -> None:
    die_after(path, f'with store.transaction() as tx:{WRITE}\nstore.claim(1, "me", NOW)\n{last}')
    with Store.open(path) as store:
        committed(store).outbox.recover(NOW)
        assert store.outbox.list()[0].state is state
        assert store.outbox.due(NOW) == ()
        with store.transaction() as tx:
            again = tx.outbox.enqueue(
                LETTER, content=b"frozen", bw_id="2", state=OutboxState.PENDING, now=NOW
            )
        assert not again


def test_a_message_is_not_stored_twice_after_a_crash(path: Path) -> None:
    die_after(path, f"with store.transaction() as tx:{WRITE}")
    with Store.open(path) as store:
        with store.transaction() as tx:
            tx.messages.note_filed([MessageLocation(**place())])
        assert state_at(store, **place()) is MessageState.FILED
        assert store.summary.stats().messages == {body()["kind"]: 1}
