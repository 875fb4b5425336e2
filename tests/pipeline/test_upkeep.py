"""The service deletes what is old by itself, and keeps of subjects what the site wants."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from bounce_watch.model import subject_hash
from bounce_watch.pipeline import maintenance
from bounce_watch.store import HistoryFilter
from bounce_watch.store.database.sqlite_file import companions
from tests.pipeline.conftest import Home, every_text, ndr

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
SHORT = (
    '[digest]\nat = "23:30:00"',
    '[digest]\nat = "09:00:00"\n[retention]\ndays = 30\nquarantine_days = 30',
)


def fill(home: Home) -> None:
    for number in range(3):
        home.deliver(
            ndr(f"person{number}@larkfield.example", number=number, at=home.clock.now), f"{number}.a"
        )
    home.look()


def pass_days(home: Home, days: int) -> None:
    """Look again after so many days, twice: the second look believes the clock and makes the digest."""
    home.clock.now += days * DAY
    home.look()
    home.clock.now += timedelta(minutes=1)
    home.look()


def test_what_is_older_than_the_site_keeps_is_deleted_once_a_day(open_home: Callable[..., Home]) -> None:
    home = open_home(SHORT)
    fill(home)
    pass_days(home, 28)
    home.deliver(ndr("young@larkfield.example", number=9, at=home.clock.now), "9.a")
    pass_days(home, 1)
    assert home.context.store.history.count() == 4
    pass_days(home, 2)
    pass_days(home, 1)
    assert [row.bounce.sender for row in home.context.store.history.find()] == ["young@larkfield.example"]
    deeds = [deed for deed in home.context.store.maintenance.audit_log() if "bounces" in deed.figures]
    assert [(deed.by, deed.deed, deed.figures["bounces"]) for deed in deeds] == [("bounce_watch", "purge", 3)]
    assert maintenance.is_maintenance_due(home.context) is False


def test_a_clock_that_is_wrong_for_one_look_deletes_nothing(open_home: Callable[..., Home]) -> None:
    """Ten years ahead everything looks old, also what a digest has told long ago."""
    home = open_home(SHORT)
    fill(home)
    pass_days(home, 1)
    right = home.clock.now
    home.clock.now += 3650 * DAY
    home.look()
    home.clock.now = right
    home.look()
    assert home.context.store.history.count() == 3
    pass_days(home, 32)
    pass_days(home, 1)  # a day later the clock is believed
    assert home.context.store.history.count() == 0


def test_a_site_that_keeps_everything_keeps_everything(open_home: Callable[..., Home]) -> None:
    home = open_home((SHORT[0], SHORT[1].replace("30", "0")))
    fill(home)
    pass_days(home, 5_000)
    pass_days(home, 1)
    assert home.context.store.history.count() == 3
    assert home.context.store.maintenance.audit_log() == ()


def test_the_mailbox_comes_first_when_much_is_to_be_deleted(
    open_home: Callable[..., Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cycle deletes a little; the next one goes on, and only the end counts as done."""
    home = open_home(SHORT)
    fill(home)
    pass_days(home, 1)
    monkeypatch.setattr(maintenance, "BATCH", 1)
    monkeypatch.setattr(maintenance, "BATCHES_A_CYCLE", 2)
    pass_days(home, 31)
    home.clock.now += DAY
    left = [home.context.store.history.count()]
    while home.context.store.history.count() and len(left) < 30:
        home.look()
        left.append(home.context.store.history.count())
    assert left[-1] == 0
    assert all(before - after <= 2 for before, after in pairwise(left))
    assert home.context.store.maintenance.audit_log()[0].figures


def test_an_answer_is_remembered_as_long_as_it_is_not_repeated(open_home: Callable[..., Home]) -> None:
    """Deleting it would let the same person be told the same too soon."""
    home = open_home(
        SHORT, ("settle_seconds = 0", "settle_seconds = 0\nagain_after_days = 60\nper_person_per_day = 9")
    )
    home.deliver(ndr(at=home.clock.now), "1.a")
    home.look()
    pass_days(home, 40)
    pass_days(home, 1)
    home.deliver(ndr(number=2, at=home.clock.now), "2.a")
    assert home.look().letters == 0
    pass_days(home, 50)
    pass_days(home, 1)
    home.deliver(ndr(number=3, at=home.clock.now), "3.a")
    assert home.look().letters == 1


def everything(home: Home) -> bytes:
    """Return the bytes of the files; of a server all that it shows."""
    if home.config.store.url is not None:
        return "\n".join(every_text(home)).encode()
    path = home.config.store.path
    return b"".join(file.read_bytes() for file in (path, *companions(path)) if file.exists())


@pytest.mark.parametrize(
    ("wanted", "stored"), [("kept", "Offer 4711"), ("hashed", subject_hash("Offer 4711")), ("off", None)]
)
def test_of_a_subject_stays_what_the_site_wants(
    open_home: Callable[..., Home], wanted: str, stored: str | None
) -> None:
    """Nowhere in the file does it stand otherwise: not in the outbox, not in the log beside it."""
    home = open_home((SHORT[0], f'{SHORT[0]}\n[retention]\nsubjects = "{wanted}"'))
    home.deliver(ndr().replace(b"Offer", b"Offer 4711"), "1.a")
    home.look()
    (row,) = home.context.store.history.find()
    assert row.subject == stored
    (letter,) = home.sent()
    assert (b"Offer 4711" in everything(home)) == (wanted == "kept")
    assert (b"4711" in letter) == (wanted == "kept")
    found = home.context.store.history.count(HistoryFilter(subject="Offer 4711"))
    assert found == (0 if wanted == "off" else 1)


@pytest.mark.parametrize(("wanted", "stored"), [("hashed", subject_hash("Offer")), ("off", None)])
def test_subjects_that_are_stored_already_follow_a_changed_choice(
    open_home: Callable[..., Home], wanted: str, stored: str | None
) -> None:
    home = open_home()
    home.deliver(ndr(), "1.a")
    home.look()
    assert next(home.context.store.history.find()).subject == "Offer"
    again = open_home((SHORT[0], f'{SHORT[0]}\n[retention]\nsubjects = "{wanted}"'))
    again.clock.now += DAY
    again.look()
    assert next(again.context.store.history.find()).subject == stored
    assert again.context.store.maintenance.audit_log()[0].figures == {"subjects": 1}
