"""Known addresses: which ones exist, where a person wrote before, and what bounced before.

Only reports with an accepted trust level count, because a spoofed one could add a false address.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_
from sqlmodel import col, select

from bounce_watch.model import Action, Cause, Evidence
from bounce_watch.store import tables
from bounce_watch.store.database.columns import fold
from bounce_watch.store.database.session import Queries, read_columns

MOST_ROWS = 2_000
"""Maximum bounces read for candidates, the newest."""

MOST_NAMES = 200
"""Maximum addresses or domains returned."""

# A server that rejects for one of these causes has a mailbox of that name.
EXISTING = (
    *(Cause.MAILBOX_FULL, Cause.MESSAGE_TOO_LARGE, Cause.SPAM_DETECTED, Cause.VIRUS_DETECTED),
    *(Cause.CONTENT_REJECTED, Cause.NOT_AUTHORISED, Cause.GREYLISTED, Cause.FORWARDING_DISABLED),
)
ARRIVED = (Action.DELIVERED, Action.RELAYED, Action.EXPANDED)
NO_DOMAIN = (Cause.DOMAIN_NOT_FOUND, Cause.DOMAIN_ACCEPTS_NO_MAIL, Cause.MESSAGE_EXPIRED, Cause.NETWORK_ERROR)
_BOUNCE, _REPORT = tables.Bounce, tables.Report


_ACCEPTED = col(_BOUNCE.evidence).in_(bindparam("accepted", expanding=True))


def _newest(column: Any, *conditions: ColumnElement[bool]) -> Any:
    query = select(column).where(*conditions, _ACCEPTED)
    return query.order_by(col(_BOUNCE.occurred_at).desc()).limit(MOST_ROWS)


# Built once: building a statement takes longer than running it, and these run for each reply.
_EXISTS = or_(col(_BOUNCE.action).in_(ARRIVED), col(_BOUNCE.cause).in_(EXISTING))
_RECEIVED = _newest(_BOUNCE.recipient_key, col(_BOUNCE.recipient_domain) == bindparam("domain"), _EXISTS)
_WROTE = _newest(_BOUNCE.sender_key, col(_BOUNCE.sender_domain) == bindparam("domain"))
_REACHED = col(_BOUNCE.cause).not_in(NO_DOMAIN)
_BY_PERSON = _newest(_BOUNCE.recipient_domain, col(_BOUNCE.sender_key) == bindparam("person"), _REACHED)
_ALIKE = _newest(
    _BOUNCE.recipient_domain,
    col(_BOUNCE.recipient_domain) >= bindparam("first"),
    col(_BOUNCE.recipient_domain) < bindparam("beyond"),
    _REACHED,
)
_LANGUAGE = (
    select(_REPORT.language)
    .join(_BOUNCE, col(_BOUNCE.report_id) == col(_REPORT.id))
    .where(col(_BOUNCE.sender_key) == bindparam("person"), col(_REPORT.language).is_not(None), _ACCEPTED)
    .order_by(col(_BOUNCE.occurred_at).desc())
    .limit(1)
)
_EARLIER = select(func.count(func.distinct(_BOUNCE.message_id))).where(
    col(_BOUNCE.sender_key) == bindparam("person"),
    col(_BOUNCE.occurred_at) >= bindparam("since"),
    col(_BOUNCE.recipient_key) == bindparam("recipient"),
    col(_BOUNCE.action) == Action.FAILED,
    col(_BOUNCE.report_id) != bindparam("report"),
    _ACCEPTED,
)


class KnownAddresses(Queries):
    def at_domain(self, domain: str, accepted: Collection[Evidence]) -> tuple[str, ...]:
        """Return existing addresses of a domain, newest first: they received a message or sent one."""
        asked = {"domain": fold(domain), "accepted": sorted(accepted)}
        return (*self._names(_RECEIVED, asked), *self._names(_WROTE, asked))[:MOST_NAMES]

    def domains(self, sender: str, like: str, accepted: Collection[Evidence]) -> tuple[str, ...]:
        """Return domains that exist: where this person wrote, and those that start like `like`."""
        start, believed = fold(like)[:2], sorted(accepted)
        by_person = self._names(_BY_PERSON, {"person": fold(sender), "accepted": believed})
        alike = {"first": start, "beyond": f"{start}\U0010ffff", "accepted": believed}
        by_others = self._names(_ALIKE, alike) if len(start) == 2 else ()
        return tuple(dict.fromkeys((*by_person, *by_others)))[:MOST_NAMES]

    def language_of(self, person: str, accepted: Collection[Evidence]) -> str | None:
        """Return the language of a person's newest report with one: Exchange uses the person's language."""
        asked: dict[str, Any] = {"person": fold(person), "accepted": sorted(accepted)}
        with self._reading() as session:
            language: str | None = read_columns(session, _LANGUAGE, asked).scalars().first()
            return language

    def earlier_bounces(
        self, sender: str, recipient: str, report_id: int, *, since: datetime, accepted: Collection[Evidence]
    ) -> int:
        """Count the other messages of a person to a recipient that bounced since then."""
        asked: dict[str, Any] = {
            "person": fold(sender),
            "recipient": fold(recipient),
            "report": report_id,
            "since": since,
            "accepted": sorted(accepted),
        }
        with self._reading() as session:
            return int(read_columns(session, _EARLIER, asked).scalar_one())

    def _names(self, query: Any, asked: Mapping[str, Any]) -> tuple[str, ...]:
        with self._reading() as session:
            found = dict.fromkeys(value for value in read_columns(session, query, asked).scalars() if value)
        return tuple(found)[:MOST_NAMES]
