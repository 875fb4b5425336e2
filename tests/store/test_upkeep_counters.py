"""Whatever is wrong with the counters is found and set right; what is right is left alone."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlmodel import Session, col, delete, select

from bounce_watch.store import Store, tables
from bounce_watch.store.upkeep_counters import SERIES, wrong_counters
from tests.store.test_tally import _fill, shape

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hundred messages over a year, some over midnight, one before 1970."""
    file = tmp_path_factory.mktemp("counters") / "bounce-watch.db"
    with Store.open(file) as store:
        _fill(store, Random(7))
    return file


@pytest.fixture
def mixed(filled: Path, tmp_path: Path) -> Iterator[Store]:
    with Store.open(Path(shutil.copy(filled, tmp_path / "bounce-watch.db"))) as store:
        yield store


def test_counters_as_the_intake_keeps_them_agree(mixed: Store) -> None:
    assert mixed.disagreeing_counters()[0] == 0


def test_every_kind_of_counter_is_compared(mixed: Store) -> None:
    with mixed._reading() as session:
        kept = set(session.exec(select(tables.Tally.dimension, tables.Tally.grain).distinct()))
    assert kept == {(dimension.value, grain.value) for dimension, grain in SERIES}


def _one_more(session: Session) -> None:
    row = session.exec(select(tables.Tally)).all()[40]
    row.messages += 1


def _one_gone(session: Session) -> None:
    session.delete(session.exec(select(tables.Tally).where(col(tables.Tally.bounces) > 0)).all()[7])


def _all_gone(session: Session) -> None:
    session.execute(delete(tables.Tally))


def _invented(session: Session) -> None:
    session.add(
        tables.Tally(
            dimension="code", grain="day", period=1, label="9.9.9", evidence="", messages=1, bounces=1
        )
    )


def _scattered_gone(session: Session) -> None:
    session.execute(delete(tables.Scattered))


def _scattered_too_many(session: Session) -> None:
    known = select(tables.Scattered.message_id)
    row = session.exec(select(tables.Bounce).where(col(tables.Bounce.message_id).not_in(known))).first()
    assert row is not None
    session.add(
        tables.Scattered(message_id=row.message_id, first_at=row.occurred_at, last_at=row.occurred_at)
    )


FAULTS = [
    pytest.param(_one_more, id="one counter is too large"),
    pytest.param(_one_gone, id="one counter is missing"),
    pytest.param(_all_gone, id="all counters are missing"),
    pytest.param(_invented, id="a counter of nothing"),
    pytest.param(_scattered_gone, id="scattered messages are not set aside"),
    pytest.param(_scattered_too_many, id="a plain message is set aside"),
]


@pytest.mark.parametrize("break_it", FAULTS)
def test_a_fault_is_found_named_and_mended(mixed: Store, break_it: Callable[[Any], None]) -> None:
    kept = shape(mixed)
    with mixed.transaction() as tx:
        break_it(tx._rows)
    count, words = mixed.disagreeing_counters()
    assert count > 0
    assert words
    with mixed.transaction() as tx:
        assert tx.recount() >= count
    assert mixed.disagreeing_counters()[0] == 0
    assert shape(mixed) == kept


def test_counters_that_outlive_their_bounces_may_be_larger_but_never_smaller(mixed: Store) -> None:
    """Up to the day they outlived; those of senders may not, for they name people."""
    with mixed.transaction() as tx:
        rows = tx._rows
        newest = max(row.occurred_at for row in rows.exec(select(tables.Bounce)))
        for row in rows.exec(select(tables.Tally)):
            row.messages, row.bounces = row.messages + 1, row.bounces + 1
    with mixed._reading() as session:
        wrong = [one for series in SERIES for one in wrong_counters(session, *series, newest)]
        assert {one.cell.dimension for one in wrong} == {"sender"}
    with mixed.transaction() as tx:
        for row in tx._rows.exec(select(tables.Tally)):
            row.messages, row.bounces = row.messages - 2, row.bounces - 2
    with mixed._reading() as session:
        for series in SERIES:
            assert list(wrong_counters(session, *series, newest)), series
