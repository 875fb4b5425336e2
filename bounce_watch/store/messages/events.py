"""Bounces as events for the detection rules, read without the ORM because ingest runs this often."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, bindparam, exists, func, select, type_coerce
from sqlmodel import col

from bounce_watch.model import Action, Cause, Certainty, Event, Evidence, Side
from bounce_watch.store import tables
from bounce_watch.store.database.columns import fold
from bounce_watch.store.database.session import Queries, read_columns

MAX_EVENTS = 10_000
"""Maximum events read for one rule and key, the newest."""

_BOUNCE = tables.Bounce
_COLUMNS: tuple[Any, ...] = (
    _BOUNCE.id,
    _BOUNCE.message_id,
    _BOUNCE.occurred_at,
    _BOUNCE.cause,
    _BOUNCE.side,
    _BOUNCE.evidence,
    _BOUNCE.certainty,
    _BOUNCE.status,
    _BOUNCE.proven,
    _BOUNCE.sender,
    _BOUNCE.sender_domain,
    _BOUNCE.recipient,
    _BOUNCE.recipient_domain,
)
EVENT_COLUMNS: tuple[Any, ...] = (*_COLUMNS, _BOUNCE.action)
"""The columns that `failed_events` needs of a new row."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = 3_600_000_000  # microseconds, as an Instant is stored
_FAILED = col(_BOUNCE.action) == Action.FAILED
_FILTERS = {
    "causes": col(_BOUNCE.cause),
    "statuses": col(_BOUNCE.status),
    "sender_key": col(_BOUNCE.sender_key),
    "sender_domain": col(_BOUNCE.sender_domain),
    "recipient_key": col(_BOUNCE.recipient_key),
    "recipient_domain": col(_BOUNCE.recipient_domain),
    "proven": col(_BOUNCE.proven),
}


class BounceEvents(Queries):
    """Queries of the detection rules about bounces."""

    def events(
        self,
        *,
        since: datetime,
        until: datetime,
        causes: Collection[Cause] = (),
        statuses: Collection[str] = (),
        sender: Collection[str] = (),
        sender_domain: Collection[str] = (),
        recipient: Collection[str] = (),
        recipient_domain: Collection[str] = (),
        proven: Collection[str] = (),
        limit: int = MAX_EVENTS,
    ) -> tuple[Event, ...]:
        """Return the newest `limit` failed bounces of `since` <= time <= `until`, oldest first.

        A bounce must match one value of each filter; an empty filter sets no condition.
        """
        asked = {
            "causes": sorted(causes),
            "statuses": sorted(statuses),
            "sender_key": _folded(sender),
            "sender_domain": _folded(sender_domain),
            "recipient_key": _folded(recipient),
            "recipient_domain": _folded(recipient_domain),
            "proven": _folded(proven),
        }
        given = {name: values for name, values in asked.items() if values}
        query = _in_window(frozenset(given))
        params = {"since": since, "until": until, "most": limit, **given}
        with self._reading() as session:
            return tuple(reversed([_event(row) for row in read_columns(session, query, params)]))

    def messages_by_hour(
        self,
        *,
        since: datetime,
        until: datetime,
        causes: Collection[Cause] = (),
        evidence: Collection[Evidence],
        mailbox: str | None = None,
    ) -> dict[datetime, int]:
        """Count messages with failed bounces by the full hour (UTC) in `since` <= time < `until`.

        An empty `causes` and no `mailbox` set no condition; hours without messages are left out.
        """
        conditions = [_FAILED, col(_BOUNCE.occurred_at) >= since, col(_BOUNCE.occurred_at) < until]
        conditions.append(col(_BOUNCE.evidence).in_(sorted(evidence)))
        if causes:
            conditions.append(col(_BOUNCE.cause).in_(sorted(causes)))
        if mailbox is not None:
            conditions.append(_in_mailbox(mailbox))
        hour = type_coerce(_BOUNCE.occurred_at, BigInteger) // _HOUR
        query: Any = (
            select(hour, func.count(func.distinct(_BOUNCE.message_id))).where(*conditions).group_by(hour)
        )
        with self._reading() as session:
            return {_EPOCH + timedelta(hours=number): count for number, count in session.exec(query)}

    def newest_at(
        self, evidence: Collection[Evidence], until: datetime, mailbox: str | None = None
    ) -> datetime | None:
        """Return when the newest failed bounce up to `until` has this evidence, in a mailbox or in any."""
        conditions = [_FAILED, col(_BOUNCE.occurred_at) <= until, col(_BOUNCE.evidence).in_(sorted(evidence))]
        if mailbox is not None:
            conditions.append(_in_mailbox(mailbox))
        newest: Any = select(col(_BOUNCE.occurred_at)).where(*conditions)
        newest = newest.order_by(col(_BOUNCE.occurred_at).desc()).limit(1)
        with self._reading() as session:
            found: datetime | None = session.exec(newest).scalar()
            return found


def _in_mailbox(mailbox: str) -> Any:
    message = tables.Message
    here = (col(message.id) == col(_BOUNCE.message_id), col(message.mailbox) == mailbox)
    return exists().where(*here)


def failed_events(rows: Iterable[Any]) -> tuple[Event, ...]:
    """Return new rows, with the columns EVENT_COLUMNS, as events; skip those that did not fail."""
    return tuple(_event(row) for *row, action in rows if action == Action.FAILED)


def _folded(addresses: Collection[str]) -> list[str]:
    return sorted(set(map(fold, addresses)))


@cache
def _in_window(filters: frozenset[str]) -> Any:
    """Return the query with these filters, newest first. Cached, because it runs for every bounce."""
    asked = [
        column.in_(bindparam(name, expanding=True)) for name, column in _FILTERS.items() if name in filters
    ]
    span = (col(_BOUNCE.occurred_at) >= bindparam("since"), col(_BOUNCE.occurred_at) <= bindparam("until"))
    newest = (col(_BOUNCE.occurred_at).desc(), col(_BOUNCE.id).desc())
    query = select(*map(col, _COLUMNS)).where(_FAILED, *span, *asked)
    return query.order_by(*newest).limit(bindparam("most"))


def _event(row: Any) -> Event:
    number, message, at, cause, side, evidence, certainty, status, proven, *addresses = row
    sender, sender_domain, recipient, recipient_domain = addresses
    return Event(
        bounce_id=number,
        message_id=message,
        occurred_at=at,
        cause=Cause.read(cause),
        status=status,
        side=None if side is None else Side(side),
        evidence=None if evidence is None else Evidence(evidence),
        sender=sender,
        sender_domain=sender_domain,
        recipient=recipient,
        recipient_domain=recipient_domain,
        certainty=None if certainty is None else Certainty(certainty),
        proven=proven,
    )
