"""The counters when rows are deleted: they go down with them, or outlive them where the site wants that."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col

from bounce_watch.model import Action
from bounce_watch.store import tables
from bounce_watch.store.tally import (
    VALUES,
    Cell,
    Dimension,
    add_up,
    cells_of,
    day_of,
    days_of,
    is_plain,
)

OUTLIVED = "counters_outlived"
"""Name of the fact: up to when counters tell of bounces that were deleted."""

_TALLY = tables.Tally


def count_out(session: Session, rows: Sequence[tables.Bounce], *, outlive: bool) -> None:
    """Take rows that are deleted, all of their messages, out of the counters.

    `outlive`: only out of those of senders; what was set aside as scattered is counted in for good.
    """
    messages, bounces = Counter[Cell](), Counter[Cell]()
    by_message: dict[int, list[tables.Bounce]] = defaultdict(list)
    for row in rows:
        by_message[row.message_id].append(row)
    for of_one in by_message.values():
        cells = Counter(cells_of(of_one))
        if outlive:
            cells = Counter({cell: n for cell, n in cells.items() if cell.dimension is Dimension.SENDER})
        bounces.subtract(cells)
        messages.subtract(dict.fromkeys(cells, 1))
        if outlive and not is_plain(of_one):
            settled = Counter(_settled(of_one))
            bounces.update(settled)
            messages.update(dict.fromkeys(settled, 1))
    add_up(session, list(bounces), messages, bounces)
    drop_empty(session, bounces)
    if outlive and rows:
        _note_outlived(session, max(row.occurred_at for row in rows))


def outlived(session: Session) -> datetime | None:
    """Return up to when counters tell of bounces that were deleted, None when of none."""
    row = session.get(tables.Meta, OUTLIVED)
    return None if row is None else datetime.fromisoformat(row.value)


def _note_outlived(session: Session, moment: datetime) -> None:
    known = outlived(session)
    if known is None or known < moment:
        session.merge(tables.Meta(name=OUTLIVED, value=moment.isoformat()))
        session.flush()


def _settled(rows: Sequence[tables.Bounce]) -> Iterator[Cell]:
    """Yield the counters of a scattered message, each in the day and tier of the first row that it counts."""
    first: dict[tuple[Dimension, str], tables.Bounce] = {}
    for row in sorted(rows, key=lambda row: (row.occurred_at, row.id)):
        for dimension, label in _labels(row):
            start = first.setdefault((dimension, label), row)
            yield from days_of(dimension, label, day_of(start.occurred_at), start.evidence or "")


def _labels(row: tables.Bounce) -> Iterator[tuple[Dimension, str]]:
    yield Dimension.ACTION, row.action
    for dimension, name in VALUES.items():
        label = getattr(row, name)
        if row.action == Action.FAILED and label is not None and dimension is not Dimension.SENDER:
            yield dimension, label


def drop_empty(session: Session, cells: Iterable[Cell]) -> None:
    """Delete counters that count nothing any more: their labels may name people."""
    at = _TALLY
    for cell in cells:
        key = (
            col(at.dimension) == cell.dimension,
            col(at.grain) == cell.grain,
            col(at.period) == cell.period,
            col(at.label) == cell.label,
            col(at.evidence) == cell.evidence,
        )
        session.execute(delete(at).where(*key, col(at.bounces) <= 0, col(at.messages) <= 0))
