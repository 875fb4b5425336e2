"""What the history knows of addresses: which ones exist, where a person wrote before, what came back before.

Only reports that the site believes count: a forged one must not teach us an address.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_
from sqlmodel import col, select

from bounce_watch.model import Action, Cause, Details, Evidence, Incident, IncidentState
from bounce_watch.store import fresh, tables
from bounce_watch.store.asking import ask
from bounce_watch.store.database.columns import fold
from bounce_watch.store.database.session import Reads
from bounce_watch.store.incidents.lifecycle import incident_of, incident_rows
from bounce_watch.store.messages.events import SEEN

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
_AT, _REPORT, _LINK = tables.Bounce, tables.Report, tables.IncidentEvent


_BELIEVED = and_(col(_AT.evidence).in_(bindparam("accepted", expanding=True)), SEEN)


def _newest(column: Any, *conditions: ColumnElement[bool]) -> Any:
    query = select(column).where(*conditions, _BELIEVED)
    return query.order_by(col(_AT.occurred_at).desc()).limit(MOST_ROWS)


# Made once: to build a statement costs more than to ask it, and these are asked for each answer.
_EXISTS = or_(col(_AT.action).in_(_ARRIVED), col(_AT.cause).in_(_EXISTING))
_RECEIVED = _newest(_AT.recipient_key, col(_AT.recipient_domain) == bindparam("domain"), _EXISTS)
_WROTE = _newest(_AT.sender_key, col(_AT.sender_domain) == bindparam("domain"))
_REACHED = col(_AT.cause).not_in(_NO_DOMAIN)
_BY_PERSON = _newest(_AT.recipient_domain, col(_AT.sender_key) == bindparam("person"), _REACHED)
_ALIKE = _newest(
    _AT.recipient_domain,
    col(_AT.recipient_domain) >= bindparam("first"),
    col(_AT.recipient_domain) < bindparam("beyond"),
    _REACHED,
)
_LANGUAGE = (
    select(_REPORT.language)
    .join(_AT, col(_AT.report_id) == col(_REPORT.id))
    .where(col(_AT.sender_key) == bindparam("person"), col(_REPORT.language).is_not(None), _BELIEVED)
    .order_by(col(_AT.occurred_at).desc())
    .limit(1)
)
_EARLIER = select(func.count(func.distinct(_AT.message_id))).where(
    col(_AT.sender_key) == bindparam("person"),
    col(_AT.occurred_at) >= bindparam("since"),
    col(_AT.recipient_key) == bindparam("recipient"),
    col(_AT.action) == Action.FAILED,
    col(_AT.report_id) != bindparam("report"),
    _BELIEVED,
)
_PROVED = (
    select(_LINK.incident)
    .join(_AT, col(_AT.id) == col(_LINK.bounce_id))
    .where(col(_AT.report_id) == bindparam("report"))
    .distinct()
)


class Acquaintance(Reads):
    """Questions about addresses and people."""

    def known_addresses(self, domain: str, accepted: Collection[Evidence]) -> tuple[str, ...]:
        """Return addresses of a domain that exist, newest first: mail arrived, or they wrote themselves."""
        asked = {"domain": fold(domain), "accepted": sorted(accepted)}
        return (*self._names(_RECEIVED, asked), *self._names(_WROTE, asked))[:MOST_NAMES]

    def known_domains(self, sender: str, like: str, accepted: Collection[Evidence]) -> tuple[str, ...]:
        """Return domains that mail reached: where this person wrote, and those that begin as `like` does."""
        start, believed = fold(like)[:2], sorted(accepted)
        by_person = self._names(_BY_PERSON, {"person": fold(sender), "accepted": believed})
        alike = {"first": start, "beyond": f"{start}\U0010ffff", "accepted": believed}
        by_others = self._names(_ALIKE, alike) if len(start) == 2 else ()
        return tuple(dict.fromkeys((*by_person, *by_others)))[:MOST_NAMES]

    def language_of(self, person: str, accepted: Collection[Evidence]) -> str | None:
        """Return the language of a person's newest report that named one: Exchange writes in theirs."""
        asked: dict[str, Any] = {"person": fold(person), "accepted": sorted(accepted)}
        with self._reading() as session:
            asked |= {"horizon": fresh.horizon(session)}
            language: str | None = ask(session, _LANGUAGE, asked, _AT, _REPORT).scalars().first()
            return language

    def earlier_bounces(
        self, sender: str, recipient: str, report_id: int, *, since: datetime, accepted: Collection[Evidence]
    ) -> int:
        """Count the other mails of a person to a recipient that came back since then."""
        asked: dict[str, Any] = {
            "person": fold(sender),
            "recipient": fold(recipient),
            "report": report_id,
            "since": since,
        }
        with self._reading() as session:
            asked |= {"accepted": sorted(accepted), "horizon": fresh.horizon(session)}
            return int(ask(session, _EARLIER, asked, _AT).scalar_one())

    def open_incidents_of(self, report_id: int) -> tuple[Incident, ...]:
        """Return the unresolved incidents that a report belongs to, oldest first."""
        with self._reading() as session:
            numbers = fresh.proved_by(session, report_id)
            if numbers is None:
                numbers = set(ask(session, _PROVED, {"report": report_id}, _AT, _LINK).scalars())
            rows = incident_rows(session, sorted(numbers))
            return tuple(incident_of(row) for row in rows if row.state == IncidentState.OPEN)

    def details_of_incident(self, number: int, limit: int = 200) -> tuple[Details, ...]:
        """Return what the newest refusals of an incident say beyond their codes."""
        link = tables.IncidentEvent
        query = select(_AT.details).join(link, col(link.bounce_id) == col(_AT.id))
        query = query.where(col(link.incident) == number).order_by(col(_AT.id).desc()).limit(limit)
        with self._reading() as session:
            return tuple(Details.from_mapping(known) for known in session.exec(query) if known)

    def _names(self, query: Any, asked: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the distinct values among the newest rows."""
        with self._reading() as session:
            asked = {**asked, "horizon": fresh.horizon(session)}
            found = dict.fromkeys(value for value in ask(session, query, asked, _AT).scalars() if value)
        return tuple(found)[:MOST_NAMES]
