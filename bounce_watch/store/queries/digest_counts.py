"""Count the figures of one digest, in its span and in the earlier spans to compare with."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from bounce_watch.model import (
    CLOSED,
    GUIDANCE,
    Action,
    Count,
    Digest,
    Edition,
    Evidence,
    Health,
    Incident,
    IncidentState,
    OutboxState,
    Owner,
)
from bounce_watch.notifications.gate.values import UNREAD
from bounce_watch.store import tables
from bounce_watch.store.incidents.lifecycle import incident_of
from bounce_watch.store.queries.counts import ACTION, Counts, count_rows, count_span, most
from bounce_watch.store.vocabulary import By, Change, MessageState

WEEK = timedelta(days=7)
LINES = 10
"""Maximum lines of one table."""

MARKED: Mapping[str, Any] = {
    "message_to": tables.Message.id,
    "report_to": tables.Report.id,
    "bounce_to": tables.Bounce.id,
    "change_to": tables.IncidentChange.id,
    "withheld_to": tables.Withheld.id,
    "quarantined_to": tables.Quarantined.id,
}
"""The columns of the digest table that end a span, and the row numbers that they limit."""

_BOUNCE, _WITHHELD = tables.Bounce, tables.Withheld
_OPENING = (Change.OPENED, "reopened")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The rows of one digest: after `start`, up to and including `end`, for each marked table.

    `is_first`: there is no earlier digest, so this one contains everything that was sent until now.
    """

    since: datetime
    until: datetime
    is_first: bool
    start: Mapping[str, int]
    end: Mapping[str, int]

    def holds(self, mark: str) -> ColumnElement[bool]:
        """Return the condition that a row of the marked table is in the span."""
        column = col(MARKED[mark])
        return (column > self.start[mark]) & (column <= self.end[mark])


class Counting:
    """Counts of one span. `usual` are the earlier spans to compare with, empty for no comparison."""

    def __init__(
        self,
        session: Session,
        span: Span,
        accepted: Collection[Evidence] | None,
        *,
        usual: Sequence[tuple[datetime, datetime]],
    ) -> None:
        self._session = session
        self._span = span
        self._accepted = accepted
        self._is_accepted = [] if accepted is None else [col(_BOUNCE.evidence).in_(sorted(accepted))]
        self._usual = usual

    def digest(
        self,
        local_date: date,
        time_zone: str,
        health: tuple[Health, ...],
        *,
        edition: Edition = Edition.DAILY,
        missed: int = 0,
    ) -> Digest:
        actions, before = self._now(ACTION), self._before(ACTION)
        failed, delayed = Action.FAILED, Action.DELAYED
        return Digest(
            local_date=local_date,
            time_zone=time_zone,
            since=self._span.since,
            until=self._span.until,
            messages=self._compared("messages", actions.messages[failed], before.messages[failed]),
            bounces=self._compared("bounces", actions.bounces[failed], before.bounces[failed]),
            delays=self._compared("delays", actions.messages[delayed], before.messages[delayed]),
            opened=self._opened(),
            still_open=self._still_open(),
            resolved=self._closed(IncidentState.RESOLVED),
            archived=self._closed(IncidentState.ARCHIVED),
            historical=self._incidents(self._changed_to(*_OPENING), ~self._is_last(*CLOSED), historical=True),
            owners=self._by(By.OWNER),
            causes=self._by(By.CAUSE),
            entries=self._entries(),
            senders=self._by(By.SENDER),
            domains=self._by(By.DOMAIN),
            withheld=self._withheld(col(_WITHHELD.reason)),
            unowned=self._withheld(col(_WITHHELD.recipient_key), col(_WITHHELD.reason).in_(UNREAD))[:LINES],
            unverified=self._unverified(),
            health=health,
            edition=edition,
            weeks=len(self._usual),
            missed=missed,
            unread=(),
            unhelpful=(),
            explained=self._explained(),
            **self._totals(),
        )

    def _now(self, by: str) -> Counts:
        """Count the bounces of the span; skip the condition when the span contains every bounce."""
        newest = self._session.exec(select(func.max(_BOUNCE.id))).one() or 0
        is_all = self._span.start["bounce_to"] == 0 and self._span.end["bounce_to"] == newest
        inside = [] if is_all else [self._span.holds("bounce_to")]
        return count_rows(self._session, by, *inside, accepted=self._accepted)

    def _before(self, by: str) -> Counts:
        total = Counts(messages=Counter(), bounces=Counter())
        for since, until in self._usual:
            found = count_span(self._session, by, since, until, self._accepted)
            total.messages.update(found.messages)
            total.bounces.update(found.bounces)
        return total

    def _compared(self, label: str, now: int, total_before: int) -> Count:
        """Return a count with the rounded mean of the earlier spans."""
        spans = len(self._usual)
        before = (2 * total_before + spans) // (2 * spans) if spans else None
        return Count(label=label, now=now, before=before)

    def _by(self, by: str) -> tuple[Count, ...]:
        before = self._before(by).messages
        top = most(self._now(by).messages, LINES)
        return tuple(self._compared(count.label, count.now, before[count.label]) for count in top)

    def _entries(self) -> tuple[Count, ...]:
        """Count the messages of the span that our admins must act on, by the catalogue row that told so."""
        entry, messages = col(_BOUNCE.entry), func.count(func.distinct(_BOUNCE.message_id))
        ours = col(_BOUNCE.owner).in_([Owner.MAIL_ADMIN, Owner.SECURITY])
        query = select(entry, messages).where(self._span.holds("bounce_to"), entry.is_not(None), ours)
        query = query.where(*self._is_accepted).group_by(entry).order_by(messages.desc(), entry)
        rows = self._session.exec(query.limit(LINES))
        return tuple(Count(label=name or "", now=now) for name, now in rows)

    def _unverified(self) -> int:
        if self._accepted is None:
            return 0
        inside = self._span.holds("bounce_to")
        return self._count(_BOUNCE, inside) - self._count(_BOUNCE, inside, *self._is_accepted)

    def _withheld(self, by: Any, *conditions: ColumnElement[bool]) -> tuple[Count, ...]:
        query = select(by, func.count()).where(self._span.holds("withheld_to"), *conditions).group_by(by)
        rows = self._session.exec(query.order_by(func.count().desc(), by))
        return tuple(Count(label=label, now=now) for label, now in rows)

    def _totals(self) -> dict[str, Any]:
        mail, message, report = tables.Outgoing, tables.Message, tables.Report
        reply, sent = col(mail.kind).in_(GUIDANCE), [col(mail.sent_at) <= self._span.until]
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

    def _explained(self) -> tuple[str, ...]:
        """Return the causes in the span whose bounces all belong to incidents that are open today."""
        link, incident = tables.IncidentEvent, tables.Incident
        known = select(link.bounce_id).join(incident, col(incident.number) == col(link.incident))
        is_open = col(incident.state).in_([IncidentState.OPEN, IncidentState.QUIET])
        known = known.where(is_open, col(incident.quiet).is_(False))
        outside = case((col(_BOUNCE.id).in_(known), 0), else_=1)
        query = select(_BOUNCE.cause).where(self._span.holds("bounce_to")).group_by(_BOUNCE.cause)
        return tuple(self._session.exec(query.having(func.sum(outside) == 0)))

    def _opened(self) -> tuple[Incident, ...]:
        return self._incidents(self._changed_to(*_OPENING), ~self._is_last(*CLOSED))

    def _still_open(self) -> tuple[Incident, ...]:
        number, line = col(tables.Incident.number), tables.IncidentChange
        known = number.in_(select(line.incident).where(col(line.id) <= self._span.end["change_to"]))
        return self._incidents(known, ~self._changed_to(*_OPENING), ~self._is_last(*CLOSED))

    def _closed(self, state: IncidentState) -> tuple[Incident, ...]:
        return self._incidents(self._changed_to(state), self._is_last(state))

    def _changed_to(self, *changes: str) -> ColumnElement[bool]:
        line = tables.IncidentChange
        changed = select(line.incident).where(self._span.holds("change_to"), col(line.change).in_(changes))
        return col(tables.Incident.number).in_(changed)

    def _is_last(self, *states: IncidentState) -> ColumnElement[bool]:
        """Return the condition that an incident was in one of these states when the span ended."""
        line = aliased(tables.IncidentChange)
        last = (
            select(line.change)
            .where(
                col(line.incident) == col(tables.Incident.number),
                col(line.id) <= self._span.end["change_to"],
                col(line.change).in_([*_OPENING, *CLOSED]),
            )
            .order_by(col(line.id).desc())
            .limit(1)
        )
        return func.coalesce(last.scalar_subquery(), "").in_(states)

    def _incidents(self, *conditions: ColumnElement[bool], historical: bool = False) -> tuple[Incident, ...]:
        incident = tables.Incident
        query = select(incident).where(*conditions, col(incident.quiet).is_(historical))
        rows = self._session.exec(query.order_by(col(incident.number)))
        return tuple(self._as_it_was(incident_of(row)) for row in rows)

    def _as_it_was(self, incident: Incident) -> Incident:
        """Return an incident with its state at the end of the span: open if it was closed or quiet later."""
        until, ended, quiet = self._span.until, incident.resolved_at, incident.quiet_since
        if ended is not None and ended > until:
            incident = replace(incident, state=IncidentState.QUIET, resolved_at=None)
        if incident.resolved_at is None and (quiet is None or quiet > until):
            incident = replace(incident, state=IncidentState.OPEN, quiet_since=None)
        return incident

    def _count(self, table: Any, *conditions: ColumnElement[bool]) -> int:
        return int(self._session.exec(select(func.count()).select_from(table).where(*conditions)).one())
