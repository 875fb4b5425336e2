"""Count failed messages by one column, from the bounces and from the daily counts of deleted ones."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, func, select, type_coerce
from sqlmodel import Session, col

from bounce_watch.model import Action, Count, Evidence
from bounce_watch.store import tables
from bounce_watch.store.database.columns import Instant
from bounce_watch.store.database.upsert import upsert
from bounce_watch.store.vocabulary import By

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LONG_SPAN = timedelta(days=90)
ACTION = "action"

_BOUNCE, _KEPT = tables.Bounce, tables.DailyCount
COLUMNS: Mapping[str, Any] = {
    ACTION: _BOUNCE.action,
    By.CAUSE: _BOUNCE.cause,
    By.OWNER: _BOUNCE.owner,
    By.CODE: _BOUNCE.status,
    By.DOMAIN: _BOUNCE.recipient_domain,
    By.SENDER: _BOUNCE.sender_key,
    By.RECIPIENT: _BOUNCE.recipient_key,
}
"""Columns to count by. `action` counts every row, the others only failed ones."""

OUTLIVING = (ACTION, By.CAUSE, By.OWNER, By.CODE, By.DOMAIN)
"""Columns of the daily counts of deleted bounces. None of them names a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Messages and recipients by label."""

    messages: Counter[str]
    bounces: Counter[str]


def most(counts: Mapping[str, int], limit: int) -> tuple[Count, ...]:
    """Return the labels with the largest counts, those with equal counts by name."""
    ranked = nsmallest(limit, counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Count(label=label, now=now) for label, now in ranked)


def count_rows(
    session: Session, by: str, *conditions: ColumnElement[bool], accepted: Collection[Evidence] | None = None
) -> Counts:
    """Count the bounces that meet the conditions and have an `accepted` trust level (None: any)."""
    label = col(COLUMNS[by])
    query = select(label, func.count(func.distinct(_BOUNCE.message_id)), func.count())
    query = query.where(*conditions, label.is_not(None), *_failed(by), *_accepted(_BOUNCE.evidence, accepted))
    return _counts(session.execute(query.group_by(label)).all())


def count_span(
    session: Session,
    by: str,
    since: datetime | None = None,
    until: datetime | None = None,
    accepted: Collection[Evidence] | None = None,
) -> Counts:
    """Count the bounces of `since` <= time < `until`, and the daily counts of whole days in it."""
    counts = count_rows(session, by, *within(since, until), accepted=accepted)
    kept = count_outlived(session, by, since, until, accepted)
    counts.messages.update(kept.messages)
    counts.bounces.update(kept.bounces)
    return counts


def count_outlived(
    session: Session,
    by: str,
    since: datetime | None = None,
    until: datetime | None = None,
    accepted: Collection[Evidence] | None = None,
) -> Counts:
    """Return the daily counts of deleted bounces, of whole days (UTC) in the span."""
    query = select(col(_KEPT.label), func.sum(_KEPT.messages), func.sum(_KEPT.bounces))
    query = query.where(col(_KEPT.dimension) == by, *whole_days(since, until))
    return _counts(
        session.execute(query.where(*_accepted(_KEPT.evidence, accepted)).group_by(col(_KEPT.label))).all()
    )


def keep_counts(session: Session, messages: Sequence[int]) -> None:
    """Add the bounces of these messages to the daily counts before they are deleted.

    A message counts for a label on the day of its first bounce with it.
    """
    for by in OUTLIVING:
        label = col(COLUMNS[by])
        firsts: Any = select(
            label.label("label"),
            func.min(_BOUNCE.occurred_at).label("at"),
            func.coalesce(func.min(_BOUNCE.evidence), "").label("evidence"),
            func.count().label("bounces"),
        ).where(
            col(_BOUNCE.message_id).in_(messages), label.is_not(None), label.not_like("%@%"), *_failed(by)
        )
        first = firsts.group_by(col(_BOUNCE.message_id), label).subquery()
        day = period_of(first.c.at, DAY)
        query = select(day, first.c.label, first.c.evidence, func.count(), func.sum(first.c.bounces))
        rows = session.execute(query.group_by(day, first.c.label, first.c.evidence)).all()
        if rows:
            names = ("day", "label", "evidence", "messages", "bounces")
            add_daily(session, [{"dimension": str(by), **dict(zip(names, row, strict=True))} for row in rows])


def add_daily(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    connection = session.connection()
    connection.execute(_ADD[connection.dialect.name], rows)


_ADD = upsert(
    _KEPT,
    ("dimension", "day", "label", "evidence"),
    lambda new: {"messages": col(_KEPT.messages) + new.messages, "bounces": col(_KEPT.bounces) + new.bounces},
)


def within(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Return the conditions `since` <= time < `until` for a bounce; None sets no limit.

    A long span covers most of the store. It is faster to count it along the index of the label, which
    contains all counted columns. An expression instead of the time column keeps the planner from the index
    of the time.
    """
    at: Any = col(_BOUNCE.occurred_at)
    if since is not None and until is not None and until - since > LONG_SPAN:
        at = type_coerce(type_coerce(at, BigInteger) + 0, Instant())
    conditions = [] if since is None else [at >= since]
    return conditions if until is None else [*conditions, at < until]


def whole_days(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Return the conditions that the whole day of a daily count is in the span."""
    conditions = [] if since is None else [col(_KEPT.day) >= -((EPOCH - since) // DAY)]
    return conditions if until is None else [*conditions, col(_KEPT.day) < (until - EPOCH) // DAY]


def period_of(moment: Any, length: timedelta) -> ColumnElement[int]:
    """Return the number of the period since 1970, rounded down before 1970 too, where `/` rounds up."""
    size, time = length // timedelta(microseconds=1), type_coerce(moment, BigInteger)
    return (time - ((time % size) + size) % size) // size


def _failed(by: str) -> list[ColumnElement[bool]]:
    return [] if by == ACTION else [col(_BOUNCE.action) == Action.FAILED]


def _accepted(evidence: Any, accepted: Collection[Evidence] | None) -> list[ColumnElement[bool]]:
    return [] if accepted is None else [col(evidence).in_(sorted(accepted))]


def _counts(rows: Sequence[Any]) -> Counts:
    return Counts(
        messages=Counter({label: int(messages) for label, messages, _ in rows}),
        bounces=Counter({label: int(bounces) for label, _, bounces in rows}),
    )
