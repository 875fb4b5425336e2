"""`outbox release`, `retry` and `abandon` change the messages they name, and say how many."""

from datetime import UTC, datetime
from pathlib import Path

from bounce_watch.config.load import load_config
from bounce_watch.model import OutboxState
from bounce_watch.store import open_store, store_location
from tests.cli.conftest import call
from tests.store.values import LETTER


def test_a_held_message_is_released_given_up_and_sent_again(site: Path) -> None:
    location = store_location(load_config(site).store)
    with open_store(location) as store, store.transaction() as tx:
        now = datetime.now(UTC)
        assert tx.outbox.enqueue(LETTER, content=b"x", bw_id="held", state=OutboxState.HELD, now=now)
        number = tx.outbox.newest()

    def change(command: str, *arguments: str) -> tuple[str, OutboxState]:
        said = call("-c", str(site), "outbox", command, *arguments).stderr
        with open_store(location, read_only=True) as store:
            return said, store.outbox.show(number)[0].state

    assert change("release", "--all")[1] is OutboxState.PENDING
    assert change("abandon", str(number))[1] is OutboxState.ABANDONED
    said, state = change("retry", str(number))
    assert (state, "1 will be sent again" in said) == (OutboxState.PENDING, True)
    assert "no mail changed" in call("-c", str(site), "outbox", "release", "999999", status=1).stderr
