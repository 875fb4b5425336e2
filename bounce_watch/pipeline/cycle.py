"""One cycle: poll the mailbox, then do what is due, from incidents to the outbox."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bounce_watch.pipeline.context import Context
from bounce_watch.pipeline.digest import is_digest_due, make_digest
from bounce_watch.pipeline.dns.later import look_again, look_daily, note_looks
from bounce_watch.pipeline.incidents.chat import notify_room
from bounce_watch.pipeline.incidents.rules import update_incidents
from bounce_watch.pipeline.ingest.mailbox import check_mailbox
from bounce_watch.pipeline.maintenance import is_maintenance_due, run_maintenance
from bounce_watch.pipeline.outbox.deliver import deliver
from bounce_watch.pipeline.reclassify import note_otherwise
from bounce_watch.pipeline.replies.owners import write_owner_letters
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

    With `hurry` replies do not wait for more bounces, because no cycle follows soon. Raises SourceError,
    StoreError and ReaderUnavailable, with nothing lost.
    """
    result = CycleResult()
    check_mailbox(context, source, result, stop=stop, progress=progress)
    run_due_work(context, sender, sent_lookup, result, stop=stop, hurry=hurry)
    return result


def run_due_work(
    context: Context,
    sender: Sender | None,
    sent_lookup: SentLookup | None,
    result: CycleResult,
    *,
    stop: Callable[[], bool] = never,
    hurry: bool = False,
) -> None:
    """Do what is due, independent of the mailboxes: incidents, digest, outbox, maintenance.

    Of several watchers one leads, which alone does what is done once for all. Every one sends.
    """
    leads = context.store.worker.leads()
    # Before the transaction, because asking takes time.
    looked, daily = (look_again(context), look_daily(context)) if leads else ({}, [])
    with context.store.transaction() as tx:
        if leads:
            repaired = note_looks(context, tx, looked, daily)
            result.resolved = (*repaired, *update_incidents(context, tx))
            write_owner_letters(context, tx, hurry=hurry)
        if hurry:
            tx.pending_replies.send_now(context.clock())
    if leads and is_digest_due(context):
        note_otherwise(context.store, context.catalogue)
        result.digest = make_digest(context) is not None
    if sender is not None:
        result.delivered = deliver(context, sender, sent_lookup, stop=stop)
        for chat in context.config.alerts.chat if leads else ():
            notify_room(context, chat)
    if leads and is_maintenance_due(context):
        run_maintenance(context, stop=stop)
    result.held = context.store.outbox.count_held()


def next_due(context: Context, now: datetime) -> datetime | None:
    """Return the next time after `now` at which known work is due, None when there is none."""
    settle = timedelta(seconds=context.config.alerts.settle_seconds)
    states = context.store.incidents.alert_states()
    times = [state.incident.opened_at + settle for state in states if not state.step]
    times.append(_next_digest(context, now))
    if (outgoing := context.store.outbox.next_at(now)) is not None:
        times.append(outgoing)
    return min((time for time in times if time > now), default=None)


def _next_digest(context: Context, now: datetime) -> datetime:
    """Return the next local time of the digest; an hour off on the two days when the clock changes."""
    local = now.astimezone(context.config.zone)
    today = datetime.combine(local.date(), context.config.digest.at, context.config.zone)
    return today if today > local else today + timedelta(days=1)
