"""What the service waits for, and what ends it."""

import errno

import pytest

from bounce_watch.cli.common.exit_status import Exit, status_of
from bounce_watch.config.secrets import SecretError
from bounce_watch.daemon import back_off
from bounce_watch.sandbox.outcome import ReaderUnavailable
from bounce_watch.source.interface import MissingFolder, Refused, Unreachable
from bounce_watch.store import StoreBusy, StoreDamaged, StoreFull, StoreNotWritable, StoreTemporary
from tests.daemon.played import play

pytestmark = pytest.mark.slow


def run(*outcomes: Exception | str) -> list[tuple[str, float]]:
    """Play looks that end like this; return the pauses between them."""
    heard = [one for one in play(*outcomes) if one[0] in {"wait", "retry"}]
    return heard[: len(outcomes)]


PASSING = [
    Unreachable("away"),
    StoreBusy("busy"),
    StoreFull("full"),
    StoreTemporary("an I/O error"),
    ReaderUnavailable("no child"),
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EMFILE, "Too many open files"),
    MemoryError(),
]


@pytest.mark.parametrize("fault", PASSING, ids=[f"{type(one).__name__} {one}" for one in PASSING])
def test_what_passes_is_waited_for_longer_each_time(fault: Exception) -> None:
    assert run(fault, fault, "well", fault) == [("retry", 1), ("retry", 2), ("wait", 60), ("retry", 1)]


REFUSED = [Refused("password"), MissingFolder("gone"), SecretError("the command failed", "edit it")]


@pytest.mark.parametrize("fault", REFUSED, ids=[type(one).__name__ for one in REFUSED])
def test_a_refusal_ends_the_first_cycle_but_is_waited_for_where_it_worked_before(fault: Exception) -> None:
    """A certificate that expires at night must not end the service for ever; a wrong set-up must show."""
    with pytest.raises(type(fault)):
        run(fault)
    paused = [("wait", 60), ("retry", 10), ("retry", 10)]
    assert run("well", fault, fault, "well")[:3] == paused


@pytest.mark.parametrize("fault", [StoreDamaged("broken"), StoreNotWritable("no"), KeyError("a bug")])
def test_what_only_a_person_can_repair_ends_the_service(fault: Exception) -> None:
    """A damaged store is kept as it is, and nothing works on with it."""
    with pytest.raises(type(fault)):
        run("well", fault)


def test_a_refused_account_is_tried_less_than_once_in_four_minutes() -> None:
    assert back_off(100) >= 240


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (StoreFull("full"), Exit.TRY_LATER),
        (StoreTemporary("an I/O error"), Exit.TRY_LATER),
        (StoreNotWritable("read-only"), Exit.REFUSED),
        (StoreDamaged("broken"), Exit.FAILED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.name,
)
def test_the_exit_status_tells_systemd_whether_to_start_again(fault: Exception, status: Exit) -> None:
    assert status_of(fault) is status
