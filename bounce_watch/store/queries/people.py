"""Everything stored about one colleague or one recipient domain."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from bounce_watch.model import Count, Incident
from bounce_watch.store import tables
from bounce_watch.store.database.columns import fold
from bounce_watch.store.database.session import Queries, lend
from bounce_watch.store.database.values import value_of
from bounce_watch.store.incidents.lifecycle import incident_of
from bounce_watch.store.outbox.queries import entries
from bounce_watch.store.queries.history import History
from bounce_watch.store.records import BounceRow, HistoryFilter, OutboxEntry, WithheldRow
from bounce_watch.store.vocabulary import By

ROWS = 50
"""Maximum lines of each list, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One colleague: bounces of their messages and of messages to them, and what we wrote to them."""

    address: str
    causes: tuple[Count, ...]
    sent: tuple[BounceRow, ...]
    missed: tuple[BounceRow, ...]
    mails: tuple[OutboxEntry, ...]
    withheld: tuple[WithheldRow, ...]
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One recipient domain: causes, codes and senders of its bounces, and the newest ones."""

    domain: str
    causes: tuple[Count, ...]
    codes: tuple[Count, ...]
    senders: tuple[Count, ...]
    bounces: tuple[BounceRow, ...]
    incidents: tuple[Incident, ...]


class People(Queries):
    def person(self, address: str, limit: int = ROWS) -> Person:
        """Return everything about an address; lists are newest first, with a maximum of `limit` rows."""
        as_sender, mail, refused = HistoryFilter(sender=address), tables.Outgoing, tables.Withheld
        key = fold(address)
        not_written = select(refused).where(col(refused.recipient_key) == key)
        not_written = not_written.order_by(col(refused.at).desc(), col(refused.id).desc()).limit(limit)
        with self._reading() as session:
            history = History(lend(session))
            return Person(
                address=address,
                causes=history.top(By.CAUSE, as_sender),
                sent=tuple(history.find(as_sender, limit=limit)),
                missed=tuple(history.find(HistoryFilter(recipient=address), limit=limit)),
                mails=entries(session, col(mail.recipient_key) == key, limit=limit),
                withheld=tuple(value_of(WithheldRow, row) for row in session.exec(not_written)),
                incidents=_incidents(session, col(tables.Bounce.sender_key) == key, limit),
            )

    def domain(self, domain: str, limit: int = ROWS) -> Destination:
        """Return everything about a recipient domain; lists are newest first."""
        chosen = HistoryFilter(domain=domain)
        with self._reading() as session:
            history = History(lend(session))
            return Destination(
                domain=domain,
                causes=history.top(By.CAUSE, chosen),
                codes=history.top(By.CODE, chosen),
                senders=history.top(By.SENDER, chosen),
                bounces=tuple(history.find(chosen, limit=limit)),
                incidents=_incidents(session, col(tables.Bounce.recipient_domain) == fold(domain), limit),
            )


def _incidents(session: Session, whose: ColumnElement[bool], limit: int) -> tuple[Incident, ...]:
    link, incident = tables.IncidentEvent, tables.Incident
    proof = select(link.incident).join(tables.Bounce, col(tables.Bounce.id) == col(link.bounce_id))
    query = select(incident).where(col(incident.number).in_(proof.where(whose)))
    query = query.order_by(col(incident.number).desc()).limit(limit)
    return tuple(incident_of(row) for row in session.exec(query))
