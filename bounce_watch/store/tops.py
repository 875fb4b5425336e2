"""Counts of all time or of a span, read from the counters; only its ragged ends are counted row by row."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_
from sqlmodel import Session, col, select

from bounce_watch.model import Action, Count, Evidence
from bounce_watch.store import tables
from bounce_watch.store.tally import BLOCK_DAYS, DAY, MANIFOLD, Dimension, Grain, day_of, start_of

_AT, _TALLY = tables.Bounce, tables.Tally
_COLUMNS: Mapping[Dimension, Any] = {
    Dimension.ACTION: _AT.action,
    Dimension.CAUSE: _AT.cause,
    Dimension.OWNER: _AT.owner,
    Dimension.CODE: _AT.status,
    Dimension.SENDER: _AT.sender_key,
    Dimension.DOMAIN: _AT.recipient_domain,
}
_FAR = BLOCK_DAYS * 300_000
"""A day number that lies beyond every time a database can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Mails and recipients by label."""

    messages: Counter[str]
    bounces: Counter[str]


def counted(
    session: Session,
    dimension: Dimension,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    accepted: Collection[Evidence] | None = None,
) -> Figures:
    """Count failed mails and recipients by label over `since` <= time < `until`; None has no end.

    `accepted` are the tiers that count, None for all. With `action` every row counts, not failed ones only.
    """
    step = BLOCK_DAYS if dimension in MANIFOLD else 1
    first = -_FAR if since is None else -((start_of(0) - since) // (step * DAY)) * step
    end = _FAR if until is None else day_of(until) // step * step
    figures = Figures(messages=Counter(), bounces=Counter())
    if end > first:
        _add(figures, session.exec(_period(dimension, first, end, accepted)))
    edges = _edges(since, until, first, end)
    if edges is not None:
        _add(figures, session.exec(_rows(dimension, accepted, edges, ~_is_scattered(since, until))))
    span = _within(since, until)
    _add(figures, session.exec(_rows(dimension, accepted, span, _is_scattered(since, until))))
    return figures


def counted_rows(
    session: Session,
    dimension: Dimension,
    span: ColumnElement[bool],
    accepted: Collection[Evidence] | None = None,
) -> Figures:
    """Count the same row by row, for a span that is not one of time."""
    figures = Figures(messages=Counter(), bounces=Counter())
    _add(figures, session.exec(_rows(dimension, accepted, span)))
    return figures


def most(figures: Mapping[str, int], limit: int) -> tuple[Count, ...]:
    """Return the labels with the largest figures, equal ones by name."""
    ranked = nsmallest(limit, figures.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Count(label=label, now=now) for label, now in ranked)


def _add(figures: Figures, rows: Any) -> None:
    messages, bounces = figures.messages, figures.bounces
    for label, mails, recipients in rows:  # tens of thousands: `+=` of a Counter is slow where there is none
        messages[label] = messages.get(label, 0) + mails
        bounces[label] = bounces.get(label, 0) + recipients


def _period(dimension: Dimension, first: int, end: int, accepted: Collection[Evidence] | None) -> Any:
    """Return the query for whole days."""
    if dimension not in MANIFOLD:
        return _tallied(dimension, Grain.DAY, first, end, accepted)
    if (first, end) == (-_FAR, _FAR):
        return _tallied(dimension, Grain.EVER, 0, 1, accepted)
    return _tallied(dimension, Grain.BLOCK, first // BLOCK_DAYS, end // BLOCK_DAYS, accepted)


def _tallied(
    dimension: Dimension, grain: Grain, first: int, end: int, accepted: Collection[Evidence] | None
) -> Any:
    period, label = col(_TALLY.period), col(_TALLY.label)
    query = select(label, func.sum(_TALLY.messages), func.sum(_TALLY.bounces)).where(
        col(_TALLY.dimension) == dimension, col(_TALLY.grain) == grain, period >= first, period < end
    )
    if accepted is not None:
        query = query.where(col(_TALLY.evidence).in_(sorted(accepted)))
    return query.group_by(label).having(func.sum(_TALLY.messages) > 0)


def _rows(
    dimension: Dimension, accepted: Collection[Evidence] | None, *conditions: ColumnElement[bool]
) -> Any:
    label, message = col(_COLUMNS[dimension]), col(_AT.message_id)
    where = [*conditions, label.is_not(None)]
    if dimension is not Dimension.ACTION:
        where.append(col(_AT.action) == Action.FAILED)
    if accepted is not None:
        where.append(col(_AT.evidence).in_(sorted(accepted)))
    return select(label, func.count(func.distinct(message)), func.count()).where(*where).group_by(label)


def _is_scattered(since: datetime | None, until: datetime | None) -> ColumnElement[bool]:
    at = tables.Scattered
    conditions = [col(at.message_id) > 0]  # along the key
    if since is not None:
        conditions.append(col(at.last_at) >= since)
    if until is not None:
        conditions.append(col(at.first_at) < until)
    return col(_AT.message_id).in_(select(at.message_id).where(*conditions))


def _edges(
    since: datetime | None, until: datetime | None, first: int, end: int
) -> ColumnElement[bool] | None:
    """Return the condition for what lies in the span but in no whole day of it."""
    if since is not None and until is not None and end <= first:
        return _within(since, until)
    parts = []
    if since is not None and start_of(first) > since:
        parts.append(_within(since, start_of(first)))
    if until is not None and start_of(end) < until:
        parts.append(_within(start_of(end), until))
    return or_(*parts) if parts else None


def _within(since: datetime | None, until: datetime | None) -> ColumnElement[bool]:
    at = col(_AT.occurred_at)
    conditions = [] if since is None else [at >= since]
    if until is not None:
        conditions.append(at < until)
    return and_(*conditions) if conditions else col(_AT.id) > 0
