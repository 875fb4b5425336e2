"""One look at the mailbox: read what is new, file it, settle incidents, make the digest, send what is due.

When something is due next, so that no mail, digest or alert is late because we wait for new mail."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.digest import is_digest_due, make_digest
from bounce_watch.pipeline.incidents.chat import tell_rooms
from bounce_watch.pipeline.incidents.rules import settle
from bounce_watch.pipeline.ingest.disk_space import require_room
from bounce_watch.pipeline.ingest.mailbox import walk
from bounce_watch.pipeline.maintenance import is_upkeep_due, keep_up
from bounce_watch.pipeline.outbox.deliver import deliver
from bounce_watch.pipeline.replies.merge import note_first_backlog
from bounce_watch.pipeline.result import CycleResult
from bounce_watch.send.interface import Sender, SentLookup
from bounce_watch.source.interface import Source, never, no_progress


def run_cycle(
    context: Context,
    source: Source,
    sender: Sender | None,
    sent_lookup: SentLookup | None = None,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[], None] = no_progress,
    hurry: bool = False,
) -> CycleResult:
    """Run one whole cycle on an opened source.

    With `hurry` answers do not settle: no cycle follows soon. Raises SourceError, StoreError and
    ReaderUnavailable, with nothing lost.
    """
    result = CycleResult()
    check_mailbox(context, source, result, stop=stop, progress=progress)
    run_due_work(context, sender, sent_lookup, result, stop=stop, hurry=hurry)
    return result


def check_mailbox(
    context: Context,
    source: Source,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    progress: Callable[[], None] = no_progress,
    portion: float | None = None,
) -> bool:
    """Read what is new in one opened mailbox; raises StoreFull before anything is fetched.

    Now and then the whole folder is walked through, for `portion` seconds a look; True when the next look is
    to go on with it.
    """
    require_room(context.config)
    note_first_backlog(context, source)
    newest = None if context.store.watcher.is_alone else context.store.messages.newest()
    elsewhere = result.in_other_hands
    seen = walk(context, source, result, stop=stop, progress=progress, portion=portion)
    if stop():
        return False
    with context.store.transaction() as tx:
        tx.mailboxes.note_fetch(context.clock(), source.name)
        if seen.whole and not source.skipped and result.in_other_hands == elsewhere:
            tx.messages.note_moved(source.name, up_to=newest)
        if seen.cursor is not None:
            tx.mailboxes.note_cursor(source.name, seen.cursor)
    return seen.halfway


def run_due_work(
    context: Context,
    sender: Sender | None,
    sent_lookup: SentLookup | None,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    hurry: bool = False,
) -> None:
    """Do what is due whatever the mailboxes hold: incidents, digest, outbox, upkeep.

    Of several watchers one leads: it alone does what is done once for all; every one sends.
    """
    leads = context.store.watcher.leads()
    with context.store.transaction() as tx:
        if leads:
            result.resolved = settle(context, tx)
        if hurry:
            tx.pending_replies.send_now(context.clock())
    if leads and is_digest_due(context):
        result.digest = make_digest(context) is not None
    if sender is not None:
        result.delivered = deliver(context, sender, sent_lookup, stop=stop)
        if leads:
            tell_rooms(context)
    if leads and is_upkeep_due(context):
        keep_up(context, stop=stop)
    result.held = context.store.outbox.count_held()


def next_due(context: Context, now: datetime) -> datetime | None:
    """Return the next moment after `now` at which work that is known is due, None when there is none."""
    return min((moment for moment in _moments(context, now) if moment > now), default=None)


def _moments(context: Context, now: datetime) -> Iterator[datetime]:
    outgoing = context.store.outbox.next_at(now)
    if outgoing is not None:
        yield outgoing
    yield _next_digest(context, now)
    settle = timedelta(seconds=context.config.alerts.settle_seconds)
    yield from (told.incident.opened_at + settle for told in context.store.incidents.told() if not told.step)


def _next_digest(context: Context, now: datetime) -> datetime:
    """Return when the digest's local time comes next; an hour off on the two days that change the clock."""
    local = now.astimezone(context.config.zone)
    today = datetime.combine(local.date(), context.config.digest.at, context.config.zone)
    return today if today > local else today + timedelta(days=1)
