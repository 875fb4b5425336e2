"""Conditions for deletion: old, and not needed by an open incident, waiting message or next digest."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, exists, false, func, not_, or_, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from bounce_watch.model import CLOSED, Edition, OutboxState
from bounce_watch.store import tables
from bounce_watch.store.queries.digest import edition_before
from bounce_watch.store.queries.digest_counts import MARKED
from bounce_watch.store.vocabulary import MessageState

FINAL = (OutboxState.SENT, OutboxState.FAILED, OutboxState.ABANDONED)
_DONE = (MessageState.FILED, MessageState.LEFT, MessageState.QUARANTINED)
_MAIL, _INCIDENT, _MESSAGE, _REPORT = tables.Outgoing, tables.Incident, tables.Message, tables.Report


class Purgeable(StrEnum):
    """What a purge deletes, in this order: rows that refer to others come first."""

    MAILS = "mails"
    WITHHELD = "withheld"
    QUARANTINED = "quarantined"
    DNS = "dns"
    INCIDENTS = "incidents"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digested:
    """What the digests have reported: rows up to these numbers, and messages sent until `until`."""

    marks: Mapping[str, int]
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLimits:
    """Times before which rows may be deleted, None for never.

    Replies can be kept longer, to limit how often a person gets one.
    """

    before: datetime | None
    mails_before: datetime | None
    quarantined_before: datetime | None
    digested: Digested


def digested_by(session: Session, editions: Collection[Edition], weekday: int) -> Digested:
    """Return the rows that all these editions have reported, so that the next ones miss none."""
    newest = session.exec(select(func.max(tables.Digest.local_date))).one()
    nothing = Digested(marks=dict.fromkeys(MARKED, 0), until=None)
    if newest is None:
        return nothing
    next_day = newest + timedelta(days=1)
    rows = [edition_before(session, next_day, edition, weekday) for edition in {Edition.DAILY, *editions}]
    if any(row is None for row in rows):
        return nothing
    ends = [row for row in rows if row is not None]
    marks = {mark: min(getattr(row, mark) for row in ends) for mark in MARKED}
    return Digested(marks=marks, until=min(row.until for row in ends))


def may_go(what: Purgeable, limits: RetentionLimits) -> ColumnElement[bool]:
    match what:
        case Purgeable.MAILS:
            return _mail_goes(_MAIL, limits)
        case Purgeable.WITHHELD:
            withheld = tables.Withheld
            digested = col(withheld.id) <= limits.digested.marks["withheld_to"]
            return _before(col(withheld.at), limits.before) & digested
        case Purgeable.QUARANTINED:
            quarantined = tables.Quarantined
            digested = col(quarantined.id) <= limits.digested.marks["quarantined_to"]
            return _before(col(quarantined.at), limits.quarantined_before) & digested
        case Purgeable.DNS:
            return _before(col(tables.DnsFinding.asked_at), limits.before) & _has_newer(tables.DnsFinding)
        case Purgeable.INCIDENTS:
            return _incident_goes(_INCIDENT, limits)
        case Purgeable.MESSAGES:
            needed = or_(
                is_unfinished(),
                awaits_digest(limits),
                belongs_to_incident(limits),
                has_mail(limits),
                has_copy(limits),
            )
            return is_old(limits) & not_(needed)


def is_old(limits: RetentionLimits) -> ColumnElement[bool]:
    """A message arrived before the limit, and more than its location is left."""
    received_at, seen_at = col(_MESSAGE.received_at), col(_MESSAGE.seen_at)
    # A server may say that a message arrived in 2099.
    arrived = case((received_at < seen_at, received_at), else_=seen_at)
    return _before(arrived, limits.before) & (col(_MESSAGE.sha256).is_not(None))


def is_unfinished() -> ColumnElement[bool]:
    """Reading or moving the message is not finished."""
    return col(_MESSAGE.state).not_in(_DONE)


def awaits_digest(limits: RetentionLimits) -> ColumnElement[bool]:
    """A future digest will report the message or its rows."""
    marks = limits.digested.marks
    return or_(
        col(_MESSAGE.id) > marks["message_to"],
        _has(_REPORT, col(_REPORT.id) > marks["report_to"]),
        _has(tables.Bounce, col(tables.Bounce.id) > marks["bounce_to"]),
        _refused_since(marks["withheld_to"]),
    )


def _refused_since(mark: int) -> ColumnElement[bool]:
    refused = select(tables.Withheld.id).join(_REPORT, col(_REPORT.id) == col(tables.Withheld.report_id))
    refused = refused.where(col(_REPORT.message_id) == col(_MESSAGE.id), col(tables.Withheld.id) > mark)
    return exists(refused.correlate(_MESSAGE))


def belongs_to_incident(limits: RetentionLimits) -> ColumnElement[bool]:
    """The message belongs to an incident that stays."""
    link, bounce = tables.IncidentEvent, tables.Bounce
    proof = select(link.bounce_id).join(bounce, col(bounce.id) == col(link.bounce_id))
    proof = proof.join(_INCIDENT, col(_INCIDENT.number) == col(link.incident))
    proof = proof.where(col(bounce.message_id) == col(_MESSAGE.id), not_(_incident_goes(_INCIDENT, limits)))
    return exists(proof.correlate(_MESSAGE))


def has_mail(limits: RetentionLimits) -> ColumnElement[bool]:
    """An outgoing message about it is waiting or not old enough."""
    mail = aliased(_MAIL)
    about = select(mail.id).join(_REPORT, col(_REPORT.id) == col(mail.report_id))
    about = about.where(col(_REPORT.message_id) == col(_MESSAGE.id), not_(_mail_goes(mail, limits)))
    return exists(about.correlate(_MESSAGE))


def has_copy(limits: RetentionLimits) -> ColumnElement[bool]:
    """A later duplicate of its report is not old enough."""
    copy = aliased(_REPORT)
    is_recent = or_(
        not_(_before(col(copy.recorded_at), limits.before)), col(copy.id) > limits.digested.marks["report_to"]
    )
    later = select(copy.id).join(_REPORT, col(_REPORT.id) == col(copy.duplicate_of))
    later = later.where(col(_REPORT.message_id) == col(_MESSAGE.id), is_recent)
    return exists(later.correlate(_MESSAGE))


def _mail_goes(mail: Any, limits: RetentionLimits) -> ColumnElement[bool]:
    """The outgoing message has a final state, is old, and a digest has reported its sending."""
    until = limits.digested.until
    digested = (
        col(mail.sent_at).is_(None) if until is None else func.coalesce(col(mail.sent_at) <= until, true())
    )
    return col(mail.state).in_(FINAL) & _before(col(mail.created_at), limits.mails_before) & digested


def _incident_goes(incident: Any, limits: RetentionLimits) -> ColumnElement[bool]:
    """The incident was resolved long ago, its history is in digests, and no message about it stays."""
    mail, line = aliased(_MAIL), tables.IncidentChange
    stays = select(mail.id).where(col(mail.incident) == col(incident.number), not_(_mail_goes(mail, limits)))
    undigested = select(line.id).where(
        col(line.incident) == col(incident.number), col(line.id) > limits.digested.marks["change_to"]
    )
    over = col(incident.state).in_(CLOSED)
    return (
        over
        & _before(col(incident.resolved_at), limits.before)
        & ~exists(stays.correlate(incident))
        & ~exists(undigested.correlate(incident))
    )


def _has_newer(finding: Any) -> ColumnElement[bool]:
    """The question was answered again later: the newest answer is what a change is found against."""
    newer = aliased(finding)
    same = (
        col(getattr(newer, name)) == col(getattr(finding, name)) for name in ("subject", "question", "name")
    )
    return exists(select(newer.id).where(*same, col(newer.id) > col(finding.id)).correlate(finding))


def _has(table: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(
        select(table.id).where(col(table.message_id) == col(_MESSAGE.id), condition).correlate(_MESSAGE)
    )


def _before(column: Any, moment: datetime | None) -> ColumnElement[bool]:
    return false() if moment is None else func.coalesce(column < moment, false())
