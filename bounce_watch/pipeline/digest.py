"""The daily digest: made once per local date, also after an outage, a restart or a wrong clock."""

from datetime import date, datetime, timedelta
from functools import partial

from bounce_watch.config.models import Config
from bounce_watch.model import Digest, Edition, Health, LetterKind
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.health import for_digest, judge_health
from bounce_watch.pipeline.outbox.enqueue import post
from bounce_watch.pipeline.wiring import source_names
from bounce_watch.store import StoreQueries, Transaction

DOUBTFUL = timedelta(hours=36)
"""This long after the last digest the service was off or the clock is wrong: a second poll decides."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def is_digest_due(context: Context) -> bool:
    """Tell whether today's digest time has passed and no digest has today's date (or a later one).

    If the clock seems to have jumped far ahead, this is only noted, and the next poll that still sees that
    time confirms it: a date whose digest was made too early would never get another.
    """
    now = context.clock()
    doubted = context.store.state.digest_doubted_at()
    if doubted is not None and now < doubted:
        # The clock was wrong then, and the doubt with it.
        with context.store.transaction() as tx:
            tx.state.clear_digest_doubt()
        doubted = None
    local = now.astimezone(context.config.zone)
    if local.time() < context.config.digest.at:
        return False
    newest = context.store.digests.last_date()
    if newest is not None and newest >= local.date():
        return False
    last = context.store.digests.last_until()
    if last is None or now - last <= DOUBTFUL or (doubted is not None and now - doubted <= DOUBTFUL):
        return True
    with context.store.transaction() as tx:
        tx.state.note_digest_doubt(now)
    return False


def gather(
    config: Config,
    store: StoreQueries,
    now: datetime,
    local_date: date | None = None,
    edition: Edition = Edition.DAILY,
) -> Digest:
    """Return the facts of the digest of a date, or without a date of the one to be made now.

    Only the latter tells the health of the service.
    """
    health: tuple[Health, ...] = ()
    if local_date is None:
        lines = judge_health(store, config, now, sources=source_names(config), workers=None)
        health = for_digest(lines)
    return store.digests.count(
        local_date or now.astimezone(config.zone).date(),
        str(config.zone),
        now,
        accepted=config.site.accepted_evidence,
        health=health,
        edition=edition,
        weekday=weekday_of(config),
    )


def make_digest(context: Context) -> Digest | None:
    """Write today's digest to all its recipients; None when it was made before.

    It is recorded and its mails are enqueued in one transaction, together with longer editions that end
    today.
    """
    with context.store.transaction() as tx:
        now = context.clock()
        digest = gather(context.config, tx, now)
        is_sent = not digest.is_empty or context.config.digest.empty_days
        if not tx.digests.record(digest, _event_key(digest) if is_sent else None):
            return None
        if is_sent:
            _post(context, tx, digest)
        for edition in tx.digests.editions_due(digest.local_date, weekday_of(context.config)):
            if edition not in longer_editions(context.config):
                continue
            longer = gather(context.config, tx, now, digest.local_date, edition)
            if not longer.is_empty or context.config.digest.empty_days:
                _post(context, tx, longer)
    return digest


def _post(context: Context, tx: Transaction, digest: Digest) -> None:
    for address in context.config.digest_to:
        key = f"{_event_key(digest)}:{address.lower()}"
        candidate = Candidate(kind=LetterKind.DIGEST, to=address, event_key=key)
        post(context, tx, candidate, partial(context.composer.digest, digest, to=address, event_key=key))


def longer_editions(config: Config) -> list[Edition]:
    """Return the configured editions beside the daily one."""
    wanted = {Edition.WEEKLY: config.digest.weekly is not None, Edition.MONTHLY: config.digest.monthly}
    return [edition for edition in wanted if wanted[edition]]


def weekday_of(config: Config) -> int:
    """Return the day on which the weekly edition is sent, Monday 0."""
    return _WEEKDAYS.index(config.digest.weekly or "monday")


def _event_key(digest: Digest) -> str:
    kind = "digest" if digest.edition is Edition.DAILY else f"digest-{digest.edition}"
    return f"{kind}:{digest.local_date.isoformat()}"
