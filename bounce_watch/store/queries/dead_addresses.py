"""Dead addresses: what was said about each recipient since its last sign of life."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, or_, select

from bounce_watch.model import Action, Cause, Evidence, Owner, Side
from bounce_watch.model.dead_address import VERDICTS, DeadAddress, Sign, Verdict, find_dead
from bounce_watch.store import tables
from bounce_watch.store.database.columns import Instant
from bounce_watch.store.database.session import Queries, read_columns
from bounce_watch.store.database.values import value_of
from bounce_watch.store.queries.known_addresses import ARRIVED, EXISTING, NO_DOMAIN
from bounce_watch.store.vocabulary import PSEUDONYM

_BOUNCE = tables.Bounce
_AT_ONCE = 500
_DOMAIN_CAUSES = [cause for cause, verdict in VERDICTS.items() if verdict is Verdict.DOMAIN_GONE]
# A full mailbox is a verdict of its own.
_ALIVE = [cause for cause in EXISTING if cause is not Cause.MAILBOX_FULL]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What proves a dead address: the code, the words, and the server that said them; None if not known."""

    code: str | None
    said: str | None
    said_by: str | None


class DeadAddresses(Queries):
    """Queries about addresses that take no mail any more. Only reports that the site trusts count."""

    def find(
        self, accepted: Collection[Evidence], since: datetime | None = None, until: datetime | None = None
    ) -> list[DeadAddress]:
        """Return the dead addresses by the bounces of `since` <= time < `until`, most messages first."""
        at, trusted = col(_BOUNCE.occurred_at), col(_BOUNCE.evidence).in_(sorted(accepted))
        within = [trusted, *([at >= since] if since else []), *([at < until] if until else [])]
        with self._reading() as session:
            signs = [value_of(Sign, row) for row in read_columns(session, _signs(within, trusted), {})]
            alive = dict(read_columns(session, _domains_alive(trusted), {}).all())
        return find_dead(signs, alive)

    def proofs(self, numbers: Sequence[int]) -> dict[int, Proof]:
        proof: Any = (_BOUNCE.status, _BOUNCE.reply_code, _BOUNCE.diagnostic_code, _BOUNCE.remote_mta)
        parts = [numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE)]
        with self._reading() as session:
            return {
                number: Proof(code=status or reply_code, said=said, said_by=said_by)
                for part in parts
                for number, status, reply_code, said, said_by in read_columns(
                    session, select(_BOUNCE.id, *proof).where(col(_BOUNCE.id).in_(part)), {}
                )
            }


def _signs(within: Collection[Any], trusted: Any) -> Any:
    """Return the query for what was said about each recipient after its last sign of life.

    Bounces of an incident of the security team are left out: intruders send to guessed addresses.
    """
    lives: Any = or_(col(_BOUNCE.action).in_(ARRIVED), col(_BOUNCE.cause).in_(_ALIVE))
    life = (
        select(col(_BOUNCE.recipient_key).label("whose"), func.max(_BOUNCE.occurred_at).label("life"))
        .where(lives, trusted)
        .group_by(col(_BOUNCE.recipient_key))
        .subquery()
    )
    link, incident = tables.IncidentEvent, tables.Incident
    sprayed = (
        select(link.bounce_id)
        .join(incident, col(incident.number) == col(link.incident))
        .where(col(incident.owner) == Owner.SECURITY)
    )
    names = {"recipient": _BOUNCE.recipient_key, "sender": _BOUNCE.sender_key, "cause": _BOUNCE.cause}
    names |= {"certainty": _BOUNCE.certainty, "persistence": _BOUNCE.persistence}
    about: Any = [col(column).label(name) for name, column in names.items()]
    about += [col(_BOUNCE.side).label("side"), col(_BOUNCE.owner).label("owner")]
    at = col(_BOUNCE.occurred_at)
    figures: Any = (
        func.count(func.distinct(_BOUNCE.message_id)).label("messages"),
        func.min(at, type_=Instant()).label("first_at"),
        func.max(at, type_=Instant()).label("last_at"),
        func.max(_BOUNCE.id).label("newest"),
    )
    return (
        select(*about, *figures)
        .outerjoin(life, life.c.whose == col(_BOUNCE.recipient_key))
        .where(col(_BOUNCE.action) == Action.FAILED, col(_BOUNCE.cause).in_(list(VERDICTS)), *within)
        .where(or_(life.c.life.is_(None), at > life.c.life))
        .where(col(_BOUNCE.recipient_key).not_like(PSEUDONYM.format("%")))
        .where(col(_BOUNCE.id).not_in(sprayed))
        .group_by(*about)
    )


def _domains_alive(trusted: Any) -> Any:
    """Return the query for when a server of a domain last said anything, of domains that seem gone."""
    gone: Any = select(_BOUNCE.recipient_domain).where(col(_BOUNCE.cause).in_(_DOMAIN_CAUSES))
    newest: Any = func.max(_BOUNCE.occurred_at, type_=Instant())
    return (
        select(_BOUNCE.recipient_domain, newest)
        .where(col(_BOUNCE.cause).not_in(NO_DOMAIN), col(_BOUNCE.recipient_domain).in_(gone), trusted)
        .where(or_(col(_BOUNCE.side).is_(None), col(_BOUNCE.side) == Side.THEIRS))
        .group_by(col(_BOUNCE.recipient_domain))
    )
