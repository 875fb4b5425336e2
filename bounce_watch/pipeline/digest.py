"""The daily digest: made once per local date, also after an outage, a restart or a wrong clock."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

from bounce_watch.config.models import Config
from bounce_watch.model import Digest, Edition, Health, LetterKind, Unread
from bounce_watch.model.letter_outcome import WITHIN, OutcomeCount
from bounce_watch.notifications.gate.values import Candidate
from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.health import for_digest, judge_health
from bounce_watch.pipeline.outbox.enqueue import post
from bounce_watch.pipeline.wiring import source_names
from bounce_watch.store import StoreQueries, Transaction
from bounce_watch.store.queries.letters import LettersBy

WAIT_FOR_LOOK = timedelta(hours=2)
"""This long a digest waits for mailboxes that were not read yet; then it says which ones."""

MOST_DEAD = 10
"""Dead addresses that a monthly digest names."""

DOUBTFUL = timedelta(hours=36)
"""This long after the last digest the service was off or the clock is wrong: a second poll decides."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def is_digest_due(context: Context) -> bool:
    """Tell whether no digest has the newest date whose digest time has passed (or a later one).

    That is yesterday's after a night without a poll. It waits until all mailboxes were read since that time,
    also after an outage.
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
    due = newest_due(context.config, now)
    newest = context.store.digests.last_date(now.astimezone(context.config.zone).date())
    if newest is None:
        began = context.store.state.first_run_at()
        if due.date() < now.astimezone(context.config.zone).date() and (began is None or began > due):
            return False
    elif newest >= due.date():
        return False
    if _waits_for_look(context, now):
        return False
    last = context.store.digests.last_until()
    if last is None or abs(now - last) <= DOUBTFUL or (doubted is not None and now - doubted <= DOUBTFUL):
        return True
    with context.store.transaction() as tx:
        tx.state.note_digest_doubt(now)
    return False


def newest_due(config: Config, now: datetime) -> datetime:
    """Return the newest local time of a digest that has passed."""
    local = now.astimezone(config.zone)
    day = local.date() if local.time() >= config.digest.at else local.date() - timedelta(days=1)
    return datetime.combine(day, config.digest.at, config.zone)


def _waits_for_look(context: Context, now: datetime) -> bool:
    due = newest_due(context.config, now)
    since = max(due, context.store.state.started_at() or due)
    if now - since >= WAIT_FOR_LOOK:
        return False
    known = context.store.mailboxes
    return any(
        ((look := known.complete_look_at(name)) is None or look < since)
        and ((trouble := known.trouble_with(name)) is None or now - trouble.since < WAIT_FOR_LOOK)
        for name in source_names(context.config).values()
    )


def _unread(config: Config, store: StoreQueries, now: datetime) -> tuple[Unread, ...]:
    """Return the mailboxes in which messages may wait that were not read."""
    limit = timedelta(minutes=config.monitor.stale_minutes)
    looks = {name: store.mailboxes.complete_look_at(name) for name in source_names(config).values()}
    return tuple(
        Unread(mailbox=name, since=look) for name, look in looks.items() if look is None or now - look > limit
    )


def gather(
    config: Config,
    store: StoreQueries,
    now: datetime,
    local_date: date | None = None,
    edition: Edition = Edition.DAILY,
    *,
    today: date | None = None,
) -> Digest:
    """Return the facts of the digest of a date, or without a date of the one to be made now.

    Only the latter tells the health of the service. If that of `today` was made, it covers what came since.
    """
    here = now.astimezone(config.zone).date()
    today, newest = today or here, store.digests.last_date(here)
    is_made = newest is not None and newest >= today
    health: tuple[Health, ...] = ()
    if local_date is None:
        lines = judge_health(store, config, now, sources=source_names(config), workers=None)
        health = for_digest(lines)
    digest = store.digests.count(
        local_date or (newest + timedelta(days=1) if newest and is_made else today),
        str(config.zone),
        now,
        accepted=config.site.accepted_evidence,
        health=health,
        edition=edition,
        weekday=weekday_of(config),
    )
    unread = () if local_date else _unread(config, store, now)
    if edition is Edition.MONTHLY:
        dead = store.dead_addresses.find(config.site.accepted_evidence, digest.since, digest.until)
        digest = replace(digest, unhelpful=_unhelpful(config, store, digest), dead=tuple(dead[:MOST_DEAD]))
    return replace(digest, local_date=local_date or today, unread=unread)


def _unhelpful(config: Config, store: StoreQueries, digest: Digest) -> tuple[OutcomeCount, ...]:
    """Count what became of letters whose two weeks ended within the span, where they are enough to tell."""
    since, until = digest.since - WITHIN, digest.until - WITHIN
    found = store.letters.outcomes(LettersBy.CAUSE, since, until, digest.until, config.site.accepted_evidence)
    return tuple(one for one in found if one.not_helped and one.interval)


def make_digest(context: Context) -> Digest | None:
    """Write the digest that is due to all its recipients; None when it was made before.

    It is recorded and its mails are enqueued in one transaction, together with longer editions that end
    that day.
    """
    with context.store.transaction() as tx:
        now = context.clock()
        digest = gather(context.config, tx, now, today=newest_due(context.config, now).date())
        is_sent = bool(not digest.is_empty or digest.unread or context.config.digest.empty_days)
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
