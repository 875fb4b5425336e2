"""The counters say what counting every row says, whatever came in and in which order."""

import importlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlmodel import Session, col, delete, select

from bounce_watch.model import Action, Bounce, Cause, Evidence, Owner
from bounce_watch.store import Store, Transaction, tables
from bounce_watch.store.tally import Dimension
from bounce_watch.store.tops import counted
from tests.store.values import BOUNCE, NOW, REPORT, body, place

pytestmark = pytest.mark.slow

TIERS: tuple[Evidence | None, ...] = (Evidence.INTERNAL, Evidence.INTERNAL, Evidence.UNVERIFIED, None)
CAUSES = (Cause.RECIPIENT_UNKNOWN, Cause.MAILBOX_FULL, Cause.SPF_FAILED)
COLUMNS = {
    Dimension.CAUSE: "cause",
    Dimension.OWNER: "owner",
    Dimension.CODE: "status",
    Dimension.SENDER: "sender_key",
    Dimension.DOMAIN: "recipient_domain",
    Dimension.ACTION: "action",
}


def invented(dice: Random, at: datetime) -> Bounce:
    spread = timedelta(hours=dice.choice([0, 0, 0, 0, 30]))
    return replace(
        BOUNCE,
        sender=dice.choice(
            ["anna@contoso.example", "BERT@contoso.example", None, "a\ud800b@contoso.example"]
        ),
        recipient=f"x{dice.randrange(4)}@d{dice.randrange(6)}.example",
        status=dice.choice(["5.1.1", "5.2.2", None]),
        cause=dice.choice(CAUSES),
        owner=dice.choice([Owner.SENDER, Owner.MAIL_ADMIN]),
        action=dice.choice([Action.FAILED, Action.FAILED, Action.FAILED, Action.DELAYED]),
        evidence=dice.choice(TIERS),
        occurred_at=at + spread,
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tally") / "bounce-watch.db"


@pytest.fixture(scope="module")
def filled(file: Path) -> Iterator[Store]:
    """Three hundred messages over a year, some with several reports, some over midnight, one before 1970."""
    dice = Random(7)
    with Store.open(file) as store:
        _fill(store, dice)
        yield store


def _fill(store: Store, dice: Random) -> None:
    with store.transaction() as tx:
        _store_all(tx, dice)


def _store_all(tx: Transaction, dice: Random) -> None:
    for number in range(300):
        at = NOW - timedelta(hours=dice.randrange(9_000))
        at = datetime(1969, 12, 31, 23, tzinfo=UTC) if number == 5 else at
        message = tx.add_message(**place(str(number)), **body())
        tier = dice.choice(TIERS)
        for copy in range(dice.choice([1, 1, 1, 2, 3])):
            report = replace(REPORT, fingerprint=f"{number}-{copy}")
            stored = tx.add_report(message, report, evidence=tier, tests=(), now=NOW)
            rows = [invented(dice, at) for _ in range(dice.choice([1, 1, 2, 4]))]
            if dice.random() < 0.8:
                rows = [replace(row, evidence=tier, occurred_at=at) for row in rows]
            tx.add_bounces(stored.report_id, rows, NOW)


def directly(
    session: Session,
    dimension: Dimension,
    since: datetime | None,
    until: datetime | None,
    accepted: Collection[Evidence] | None,
) -> tuple[Counter[str], Counter[str]]:
    """Count every row by hand."""
    messages: dict[str, set[int]] = {}
    bounces: Counter[str] = Counter()
    for row in session.exec(select(tables.Bounce)):
        label = getattr(row, COLUMNS[dimension])
        timely = (since is None or row.occurred_at >= since) and (until is None or row.occurred_at < until)
        believed = accepted is None or row.evidence in accepted
        counts = row.action == Action.FAILED or dimension is Dimension.ACTION
        if label is not None and timely and believed and counts:
            messages.setdefault(label, set()).add(row.message_id)
            bounces[label] += 1
    return Counter({label: len(numbers) for label, numbers in messages.items()}), bounces


def shape(store: Store) -> list[tuple[Any, ...]]:
    with store._reading() as session:
        rows = session.exec(select(tables.Tally)).all()
        scattered = session.exec(select(tables.Scattered.message_id)).all()
    cells = [tuple(row.model_dump().values()) for row in rows if row.bounces]
    return [*sorted(cells), tuple(sorted(scattered))]


SPANS = [
    pytest.param(None, None, id="all time"),
    pytest.param(NOW - timedelta(days=40), None, id="since"),
    pytest.param(None, NOW - timedelta(days=100), id="until"),
    pytest.param(NOW - timedelta(days=200, hours=3), NOW - timedelta(days=2, minutes=7), id="many blocks"),
    pytest.param(NOW - timedelta(days=20), NOW - timedelta(days=11), id="days within a block"),
    pytest.param(NOW - timedelta(hours=5), NOW - timedelta(hours=1), id="hours within a day"),
    pytest.param(NOW - timedelta(hours=12), NOW + timedelta(hours=3), id="over one midnight"),
    pytest.param(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), id="whole days"),
    pytest.param(NOW, NOW, id="nothing"),
]


@pytest.mark.parametrize(("since", "until"), SPANS)
@pytest.mark.parametrize("accepted", [None, {Evidence.INTERNAL}, {Evidence.INTERNAL, Evidence.UNVERIFIED}])
def test_counters_equal_a_count_of_every_row(
    filled: Store, since: datetime | None, until: datetime | None, accepted: set[Evidence] | None
) -> None:
    with filled._reading() as session:
        for dimension in Dimension:
            figures = counted(session, dimension, since=since, until=until, accepted=accepted)
            messages, bounces = directly(session, dimension, since, until, accepted)
            assert (figures.messages, figures.bounces) == (messages, bounces), dimension


def test_the_sample_holds_what_is_hard(filled: Store) -> None:
    with filled._reading() as session:
        assert len(session.exec(select(tables.Scattered)).all()) > 20
        assert session.exec(select(tables.Tally).where(col(tables.Tally.period) < 0)).all()


def test_an_older_store_is_counted_when_it_is_brought_up_to_date(filled: Store) -> None:
    """The steps that fill the counters and the intake that keeps them agree row by row."""
    kept = shape(filled)
    steps = [
        importlib.import_module(f"bounce_watch.store.migrations.versions.{name}")
        for name in ("v0005_tally", "v0009_tally_ever")
    ]
    with filled.transaction() as tx:
        tx._rows.exec(delete(tables.Tally))
        tx._rows.exec(delete(tables.Scattered))
        for step in steps:
            step.fill(tx._rows.connection())
    assert shape(filled) == kept


def test_messages_that_are_counted_together_count_like_one_by_one(tmp_path: Path, filled: Store) -> None:
    with Store.open(tmp_path / "bounce-watch.db") as store:
        with store.transaction() as tx, tx.writing_together():
            _store_all(tx, Random(7))
        assert shape(store) == shape(filled)


def test_what_is_undone_is_not_counted(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction() as tx:  # noqa: PT012
        message = tx.add_message(**place(), **body())
        stored = tx.add_report(message, REPORT, evidence=None, tests=(), now=NOW)
        tx.add_bounces(stored.report_id, [BOUNCE], NOW)
        raise RuntimeError
    assert shape(store) == [()]


def test_counters_are_rows_like_others(file: Path, filled: Store) -> None:
    """They are there for whoever opens the file."""
    before = shape(filled)
    with Store.open(file, read_only=True) as again:
        assert shape(again) == before
