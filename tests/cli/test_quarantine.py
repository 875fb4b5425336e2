"""Bytes of a message that could not be read: written out privately, read again in one step."""

import stat
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from bounce_watch.config.load import load_config
from bounce_watch.store import MessageState, open_store, store_location
from tests.cli.conftest import call
from tests.pipeline.conftest import ndr

RAW = ndr(number=77)


@pytest.fixture
def number(site: Path) -> int:
    """Put a message into the quarantine of a copy of the demo, and return its number."""
    with open_store(store_location(load_config(site).store)) as store, store.transaction() as tx:
        return tx.quarantine.add(
            mailbox="maildir:elsewhere",
            validity=1,
            uid="1",
            sha256=sha256(RAW).hexdigest(),
            raw=RAW,
            reason="too deep",
            received_at=datetime(2026, 11, 23, tzinfo=UTC),
            now=datetime(2026, 11, 23, tzinfo=UTC),
        )


def test_the_bytes_go_to_a_new_file_that_only_its_owner_reads(
    site: Path, number: int, tmp_path: Path
) -> None:
    """It was readable by all, and written through a link that somebody else had laid."""
    out, victim = tmp_path / "bytes.eml", tmp_path / "victim"
    command = ("--config", str(site), "quarantine", "show", str(number), "--output")
    call(*command, str(out))
    assert (out.read_bytes(), stat.S_IMODE(out.stat().st_mode)) == (RAW, 0o600)
    call(*command, str(out), status=2)
    (tmp_path / "link.eml").symlink_to(victim)
    call(*command, str(tmp_path / "link.eml"), status=2)
    assert not victim.exists()


def test_a_message_is_read_again_in_one_step(site: Path, number: int) -> None:
    assert "Read again" in call("--config", str(site), "quarantine", "requeue", str(number)).stderr
    with open_store(store_location(load_config(site).store)) as store:
        assert number not in {entry.id for entry in store.quarantine.list()}
        assert store.messages.states_at("maildir:elsewhere", 1, ["1"]) == {"1": MessageState.STORED}
    assert call("--config", str(site), "quarantine", "requeue", str(number), status=1).stderr
