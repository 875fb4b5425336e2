"""Do the counters say what the rows say? Compared label by label, and mended where they do not.

Counts that outlive their bounces (see the purge) may be larger than the rows up to the day they outlived.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, delete, func, literal_column, select, type_coerce
from sqlmodel import Session, col

from bounce_watch.model import Action
from bounce_watch.store import tables
from bounce_watch.store.tally import BLOCK_DAYS, DAY, HOUR, MANIFOLD, Cell, Dimension, Grain, day_of, hour_of

_AT, _TALLY, _SCATTERED = tables.Bounce, tables.Tally, tables.Scattered
_US = 1_000_000
_LENGTHS = {
    Grain.HOUR: int(HOUR.total_seconds()) * _US,
    Grain.DAY: int(DAY.total_seconds()) * _US,
    Grain.BLOCK: BLOCK_DAYS * int(DAY.total_seconds()) * _US,
}
_LABELS: Mapping[Dimension, Any] = {
    Dimension.ACTION: _AT.action,
    Dimension.CAUSE: _AT.cause,
    Dimension.OWNER: _AT.owner,
    Dimension.CODE: _AT.status,
    Dimension.SENDER: _AT.sender_key,
    Dimension.DOMAIN: _AT.recipient_domain,
}

SERIES = (
    (Dimension.CAUSE, Grain.HOUR),
    *((dimension, Grain.DAY) for dimension in Dimension if dimension not in MANIFOLD),
    *(
        (dimension, grain)
        for dimension in Dimension
        if dimension in MANIFOLD
        for grain in (Grain.BLOCK, Grain.EVER)
    ),
)
"""Each kind of counter that is kept."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A counter that disagrees, and what the rows say: mails and recipients."""

    cell: Cell
    messages: int
    bounces: int


def wrong_counters(
    session: Session, dimension: Dimension, grain: Grain, outlived: datetime | None
) -> Iterator[Wrong]:
    """Yield the counters of one series that disagree with the rows.

    Up to `outlived` counters may be larger than what is left of the rows, those of senders never.
    """
    counted = {
        Cell(dimension, grain, period, label, evidence): (messages, bounces)
        for period, label, evidence, messages, bounces in session.execute(_counted(dimension, grain))
    }
    kept_to = _last_kept(grain, outlived) if dimension is not Dimension.SENDER else None
    query = select(_TALLY).where(col(_TALLY.dimension) == dimension, col(_TALLY.grain) == grain)
    for row in session.scalars(query.execution_options(yield_per=1_000)):
        cell = Cell(dimension, grain, row.period, row.label, row.evidence)
        messages, bounces = counted.pop(cell, (0, 0))
        may_be_more = kept_to is not None and row.period <= kept_to
        same = (row.messages, row.bounces) == (messages, bounces)
        if not same and not (may_be_more and row.messages >= messages and row.bounces >= bounces):
            yield Wrong(cell, messages, bounces)
    yield from (Wrong(cell, *figures) for cell, figures in counted.items())


def _last_kept(grain: Grain, outlived: datetime | None) -> int | None:
    if outlived is None:
        return None
    if grain is Grain.EVER:
        return 0
    if grain is Grain.HOUR:
        return hour_of(outlived)
    return day_of(outlived) // (BLOCK_DAYS if grain is Grain.BLOCK else 1)


def _counted(dimension: Dimension, grain: Grain) -> Any:
    """Return the query that counts the rows as the counters should have."""
    if grain is Grain.HOUR:
        return _hours()
    label = col(_LABELS[dimension])
    period = literal_column("0") if grain is Grain.EVER else _period(col(_AT.occurred_at), grain)
    evidence = func.coalesce(col(_AT.evidence), "")
    plain = col(_AT.message_id).not_in(select(_SCATTERED.message_id))  # type: ignore[call-overload]
    figures = (func.count(func.distinct(_AT.message_id)), func.count())
    query = select(period, label, evidence, *figures).where(label.is_not(None), plain)
    if dimension is not Dimension.ACTION:
        query = query.where(col(_AT.action) == Action.FAILED)
    keys = (label, evidence) if grain is Grain.EVER else (period, label, evidence)
    return query.group_by(*keys)


def _hours() -> Any:
    """A mail counts for a cause in the hour of its first failure."""
    order = func.row_number().over(
        partition_by=[col(_AT.message_id), col(_AT.cause)], order_by=[col(_AT.occurred_at), col(_AT.id)]
    )
    period = _period(col(_AT.occurred_at), Grain.HOUR).label("period")
    evidence = func.coalesce(col(_AT.evidence), "").label("evidence")
    rows = select(period, col(_AT.cause).label("cause"), evidence, order.label("place"))
    firsts = rows.where(col(_AT.action) == Action.FAILED).subquery()
    keys = (firsts.c.period, firsts.c.cause, firsts.c.evidence)
    return select(*keys, func.count(), func.count()).where(firsts.c.place == 1).group_by(*keys)


def _period(moment: Any, grain: Grain) -> ColumnElement[int]:
    """Return the number of the period: rounded down before 1970 too, where / rounds up."""
    length, time = _LENGTHS[grain], type_coerce(moment, BigInteger)
    return (time - ((time % length) + length) % length) // length


def mend(session: Session, wrong: Wrong) -> None:
    """Set one counter to what the rows say."""
    cell = wrong.cell
    key = (cell.dimension, cell.grain, cell.period, cell.label, cell.evidence)
    row = session.get(_TALLY, key)
    if not wrong.bounces and not wrong.messages:
        if row is not None:
            session.delete(row)
        return
    row = row or _TALLY(
        dimension=cell.dimension, grain=cell.grain, period=cell.period, label=cell.label,
        evidence=cell.evidence, messages=0, bounces=0,
    )  # fmt: skip
    row.messages, row.bounces = wrong.messages, wrong.bounces
    session.add(row)


def wrong_scattered(session: Session) -> tuple[set[int], set[int]]:
    """Return the messages that are missing among the scattered ones, and those that do not belong there."""
    known = set(session.scalars(select(_SCATTERED.message_id)))  # type: ignore[call-overload]
    right = {number for number, *_ in session.execute(_scattered())}
    return right - known, known - right


def mend_scattered(session: Session, missing: set[int], surplus: set[int]) -> None:
    """Set aside what lies in several days or tiers, and nothing else."""
    for number, first, last in session.execute(_scattered()).all():
        if number in missing:
            session.add(_SCATTERED(message_id=number, first_at=first, last_at=last))
    session.execute(delete(_SCATTERED).where(col(_SCATTERED.message_id).in_(surplus)))
    session.flush()


def _scattered() -> Any:
    day, tier = _period(col(_AT.occurred_at), Grain.DAY), func.coalesce(col(_AT.evidence), "")
    times = (func.min(col(_AT.occurred_at)), func.max(col(_AT.occurred_at)))
    query = select(col(_AT.message_id), *times).group_by(col(_AT.message_id))
    return query.having((func.min(day) != func.max(day)) | (func.count(func.distinct(tier)) > 1))
