"""What the history knows of addresses: which ones exist, where a person wrote before, what came back before.

Only reports that the site believes count: a forged one must not teach us an address.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import col, select

from bounce_watch.model import Action, Cause, Details, Evidence, Incident, IncidentState
from bounce_watch.store import tables
from bounce_watch.store.columns import fold
from bounce_watch.store.incidents import incident_of
from bounce_watch.store.rooms import Reads

MOST_ROWS = 2_000
"""Bounces looked at for candidates; the newest."""

MOST_NAMES = 200
"""Addresses or domains handed out."""

# Whoever refuses for one of these has a mailbox of that name.
_EXISTING = (
    *(Cause.MAILBOX_FULL, Cause.MESSAGE_TOO_LARGE, Cause.SPAM_DETECTED, Cause.VIRUS_DETECTED),
    *(Cause.CONTENT_REJECTED, Cause.NOT_AUTHORISED, Cause.GREYLISTED, Cause.FORWARDING_DISABLED),
)
_ARRIVED = (Action.DELIVERED, Action.RELAYED, Action.EXPANDED)
_NO_DOMAIN = (
    Cause.DOMAIN_NOT_FOUND,
    Cause.DOMAIN_ACCEPTS_NO_MAIL,
    Cause.MESSAGE_EXPIRED,
    Cause.NETWORK_ERROR,
)
_AT = tables.Bounce


class Acquaintance(Reads):
    """Questions about addresses and people."""

    def known_addresses(self, domain: str, accepted: Collection[Evidence]) -> tuple[str, ...]:
        """Return addresses of a domain that exist, newest first: mail arrived, or they wrote themselves."""
        exists = or_(col(_AT.action).in_(_ARRIVED), col(_AT.cause).in_(_EXISTING))
        received = (col(_AT.recipient_domain) == fold(domain), exists, _believed(accepted))
        wrote = (col(_AT.sender_domain) == fold(domain), _believed(accepted))
        return (*self._newest(_AT.recipient_key, *received), *self._newest(_AT.sender_key, *wrote))[
            :MOST_NAMES
        ]

    def known_domains(self, sender: str, like: str, accepted: Collection[Evidence]) -> tuple[str, ...]:
        """Return domains that mail reached: where this person wrote, and those that begin as `like` does."""
        column, start = col(_AT.recipient_domain), fold(like)[:2]
        reached = (col(_AT.cause).not_in(_NO_DOMAIN), _believed(accepted))
        by_person = self._newest(_AT.recipient_domain, col(_AT.sender_key) == fold(sender), *reached)
        alike = (column >= start, column < f"{start}\U0010ffff", *reached)
        by_others = self._newest(_AT.recipient_domain, *alike) if len(start) == 2 else ()
        return tuple(dict.fromkeys((*by_person, *by_others)))[:MOST_NAMES]

    def language_of(self, person: str, accepted: Collection[Evidence]) -> str | None:
        """Return the language of a person's newest report that named one: Exchange writes in theirs."""
        report = tables.Report
        query = select(report.language).join(_AT, col(_AT.report_id) == col(report.id))
        query = query.where(
            col(_AT.sender_key) == fold(person), col(report.language).is_not(None), _believed(accepted)
        )
        with self._reading() as session:
            return session.exec(query.order_by(col(_AT.occurred_at).desc()).limit(1)).first()

    def earlier_bounces(
        self, sender: str, recipient: str, report_id: int, *, since: datetime, accepted: Collection[Evidence]
    ) -> int:
        """Count the other mails of a person to a recipient that came back since then."""
        mails = func.count(func.distinct(_AT.message_id))
        query = select(mails).where(
            col(_AT.sender_key) == fold(sender),
            col(_AT.occurred_at) >= since,
            col(_AT.recipient_key) == fold(recipient),
            col(_AT.action) == Action.FAILED,
            col(_AT.report_id) != report_id,
            _believed(accepted),
        )
        with self._reading() as session:
            return session.exec(query).one()

    def open_incidents_of(self, report_id: int) -> tuple[Incident, ...]:
        """Return the unresolved incidents that a report belongs to, oldest first."""
        link, incident = tables.IncidentEvent, tables.Incident
        rows = select(_AT.id).where(col(_AT.report_id) == report_id)
        numbers = select(link.incident).where(col(link.bounce_id).in_(rows))
        query = select(incident).where(col(incident.number).in_(numbers))
        query = query.where(col(incident.state) == IncidentState.OPEN).order_by(col(incident.number))
        with self._reading() as session:
            return tuple(incident_of(row) for row in session.exec(query))

    def details_of_incident(self, number: int, limit: int = 200) -> tuple[Details, ...]:
        """Return what the newest refusals of an incident say beyond their codes."""
        link = tables.IncidentEvent
        query = select(_AT.details).join(link, col(link.bounce_id) == col(_AT.id))
        query = query.where(col(link.incident) == number).order_by(col(_AT.id).desc()).limit(limit)
        with self._reading() as session:
            return tuple(Details.from_mapping(known) for known in session.exec(query) if known)

    def _newest(self, column: object, *conditions: ColumnElement[bool]) -> tuple[str, ...]:
        """Return the distinct values of a column among the newest rows that meet the conditions."""
        query = select(column).where(*conditions)  # type: ignore[call-overload]
        query = query.order_by(col(_AT.occurred_at).desc()).limit(MOST_ROWS)
        with self._reading() as session:
            found = dict.fromkeys(value for value in session.exec(query) if value)
        return tuple(found)[:MOST_NAMES]


def _believed(accepted: Collection[Evidence]) -> ColumnElement[bool]:
    return col(_AT.evidence).in_(sorted(accepted))
