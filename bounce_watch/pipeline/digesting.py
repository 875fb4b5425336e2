"""The daily digest: due once a local date, whatever the clock, an outage or a restart does."""

from datetime import date, datetime
from functools import partial

from bounce_watch.config.models import Config
from bounce_watch.model import Digest, LetterKind
from bounce_watch.pipeline.health import health
from bounce_watch.pipeline.house import House
from bounce_watch.pipeline.posting import post
from bounce_watch.reply.gate import Candidate
from bounce_watch.store import Questions


def is_digest_due(house: House) -> bool:
    """Tell whether today's digest time has passed and no digest bears today's date (or a later one)."""
    local = house.clock().astimezone(house.config.zone)
    if local.time() < house.config.digest.at:
        return False
    newest = house.store.last_digest()
    return newest is None or newest < local.date()


def gather(config: Config, store: Questions, now: datetime, local_date: date | None = None) -> Digest:
    """Return the facts of a date's digest that was made, or without a date of the one to be made now.

    How the service is doing is known for now only.
    """
    return store.digest_facts(
        local_date or now.astimezone(config.zone).date(),
        str(config.zone),
        now,
        accepted=config.site.accepted_evidence,
        health=health(store, now) if local_date is None else (),
    )


def make_digest(house: House) -> Digest | None:
    """Write today's digest to everybody who gets it; None when it was made before.

    Recording it and queueing its mails is one transaction.
    """
    with house.store.transaction() as tx:
        digest = gather(house.config, tx, house.clock())
        told = not digest.is_empty or house.config.digest.empty_days
        if not tx.record_digest(digest, _event_key(digest) if told else None):
            return None
        for address in house.config.digest_to if told else ():
            key = f"{_event_key(digest)}:{address.lower()}"
            candidate = Candidate(kind=LetterKind.DIGEST, to=address, event_key=key)
            post(house, tx, candidate, partial(house.composer.digest, digest, to=address, event_key=key))
    return digest


def _event_key(digest: Digest) -> str:
    return f"digest:{digest.local_date.isoformat()}"
