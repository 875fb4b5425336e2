"""The figures of one digest, counted over its span and over the same span a week earlier."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from bounce_watch.model import (
    Action,
    Count,
    Digest,
    Evidence,
    Health,
    Incident,
    IncidentState,
    LetterKind,
    OutboxState,
)
from bounce_watch.store import tables
from bounce_watch.store.incidents import incident_of
from bounce_watch.store.words import Change, MessageState

WEEK = timedelta(days=7)
LINES = 10
"""Lines of one table."""

MARKED: Mapping[str, Any] = {
    "message_to": tables.Message.id,
    "report_to": tables.Report.id,
    "bounce_to": tables.Bounce.id,
    "change_to": tables.IncidentChange.id,
    "withheld_to": tables.Withheld.id,
    "quarantined_to": tables.Quarantined.id,
}
"""The columns of the digest table that close a span, and the row numbers they close."""

_AT = tables.Bounce
_MESSAGES = func.count(func.distinct(_AT.message_id))
_Conditions = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The rows of one digest: after `start`, up to and including `end`, for each marked table.

    `is_first`: no digest came before, so whatever was sent until now belongs to this one.
    """

    since: datetime
    until: datetime
    is_first: bool
    start: Mapping[str, int]
    end: Mapping[str, int]

    def holds(self, mark: str) -> ColumnElement[bool]:
        """Return the condition that a row of the marked table lies in the span."""
        column = col(MARKED[mark])
        return (column > self.start[mark]) & (column <= self.end[mark])


class Counting:
    """Counts for one span. `watched`: we ran a week earlier, so that a comparison is honest."""

    def __init__(
        self, session: Session, span: Span, accepted: Collection[Evidence] | None, *, watched: bool
    ) -> None:
        self._session = session
        self._span = span
        self._believed = [] if accepted is None else [col(_AT.evidence).in_(sorted(accepted))]
        self._watched = watched

    def digest(self, local_date: date, time_zone: str, health: tuple[Health, ...]) -> Digest:
        """Return all figures of the span."""
        failed = col(_AT.action) == Action.FAILED
        return Digest(
            local_date=local_date,
            time_zone=time_zone,
            since=self._span.since,
            until=self._span.until,
            messages=self._compared("messages", _MESSAGES, failed),
            bounces=self._compared("bounces", func.count(), failed),
            delays=self._compared("delays", _MESSAGES, col(_AT.action) == Action.DELAYED),
            opened=self._incidents(Change.OPENED, IncidentState.OPEN),
            still_open=self._still_open(),
            resolved=self._incidents(IncidentState.RESOLVED, IncidentState.RESOLVED),
            owners=self._by(_AT.owner),
            causes=self._by(_AT.cause),
            senders=self._by(_AT.sender_key),
            domains=self._by(_AT.recipient_domain),
            withheld=self._withheld(),
            unverified=self._unverified(),
            health=health,
            **self._totals(),
        )

    def _now(self, *more: ColumnElement[bool]) -> _Conditions:
        return [self._span.holds("bounce_to"), *self._believed, *more]

    def _before(self, *more: ColumnElement[bool]) -> _Conditions:
        at = col(_AT.occurred_at)
        return [at >= self._span.since - WEEK, at < self._span.until - WEEK, *self._believed, *more]

    def _compared(self, label: str, figure: Any, condition: ColumnElement[bool]) -> Count:
        now = self._count(_AT, *self._now(condition), figure=figure)
        before = self._count(_AT, *self._before(condition), figure=figure) if self._watched else None
        return Count(label=label, now=now, before=before)

    def _by(self, column: Any) -> tuple[Count, ...]:
        failed = (col(_AT.action) == Action.FAILED, col(column).is_not(None))
        now = self._grouped(column, self._now(*failed), LINES)
        before = self._grouped(column, self._before(*failed), None) if self._watched else {}
        return tuple(
            Count(label=label, now=count, before=before.get(label, 0) if self._watched else None)
            for label, count in now.items()
        )

    def _grouped(self, column: Any, conditions: _Conditions, limit: int | None) -> dict[str, int]:
        query = select(column, _MESSAGES).where(*conditions).group_by(column)
        return dict(self._session.exec(query.order_by(_MESSAGES.desc(), column).limit(limit)).all())

    def _unverified(self) -> int:
        return self._count(_AT, self._span.holds("bounce_to")) - self._count(_AT, *self._now())

    def _withheld(self) -> tuple[Count, ...]:
        reason, times = tables.Withheld.reason, func.count()
        query = select(reason, times).where(self._span.holds("withheld_to")).group_by(reason)
        rows = self._session.exec(query.order_by(times.desc(), reason))
        return tuple(Count(label=label, now=now) for label, now in rows)

    def _totals(self) -> dict[str, int]:
        mail, message, report = tables.Outgoing, tables.Message, tables.Report
        reply, sent = col(mail.kind) == LetterKind.REPLY, [col(mail.sent_at) <= self._span.until]
        if not self._span.is_first:
            sent.append(col(mail.sent_at) > self._span.since)
        return {
            "replies_sent": self._count(mail, reply, *sent),
            "replies_held": self._count(mail, reply, col(mail.state) == OutboxState.HELD),
            "duplicates": self._count(
                report, self._span.holds("report_to"), col(report.duplicate_of).is_not(None)
            ),
            "left_alone": self._count(
                message, self._span.holds("message_to"), col(message.state) == MessageState.LEFT
            ),
            "quarantined": self._count(tables.Quarantined, self._span.holds("quarantined_to")),
        }

    def _incidents(self, change: str, state: IncidentState) -> tuple[Incident, ...]:
        line, incident = tables.IncidentChange, tables.Incident
        changed = select(line.incident).where(self._span.holds("change_to"), col(line.change) == change)
        return self._told(col(incident.number).in_(changed), col(incident.state) == state)

    def _still_open(self) -> tuple[Incident, ...]:
        line, incident = tables.IncidentChange, tables.Incident
        opened = select(line.incident).where(self._span.holds("change_to"), col(line.change) == Change.OPENED)
        is_open = col(incident.state) == IncidentState.OPEN
        return self._told(is_open, col(incident.number).not_in(opened))

    def _told(self, *conditions: ColumnElement[bool]) -> tuple[Incident, ...]:
        incident = tables.Incident
        query = select(incident).where(*conditions, col(incident.quiet).is_(False))
        return tuple(incident_of(row) for row in self._session.exec(query.order_by(col(incident.number))))

    def _count(self, table: Any, *conditions: ColumnElement[bool], figure: Any = None) -> int:
        figure = func.count() if figure is None else figure
        return int(self._session.exec(select(figure).select_from(table).where(*conditions)).one())
