"""Judge whether our mail leaves: what is stuck, held, unclear or stopped."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bounce_watch.config.models import Config
from bounce_watch.model import OutboxState
from bounce_watch.notifications.rendering.local_time import stamp
from bounce_watch.pipeline.health.line import Level, Line, ago
from bounce_watch.store import StoreQueries


def judge_sending(store: StoreQueries, config: Config, now: datetime) -> tuple[Line, ...]:
    return (*_outbox(store, config, now), *_stopped(store, config, now))


def pending_line(store: StoreQueries, config: Config, now: datetime, pending: int) -> Line:
    """Judge mail that should have left: a warning, critical when an alert is among it."""
    stuck = store.summary.stuck(now - timedelta(minutes=config.monitor.pending_minutes))
    text = f"{pending} wait to be sent"
    if stuck is None:
        return Line(name="pending", level=Level.OK, text=text, figure=pending)
    alerts = f", {stuck.alerts} of them alerts" if stuck.alerts else ""
    why = f": {stuck.why[:200]}" if stuck.why else ""
    text = f"{stuck.count} cannot leave since {ago((now - stuck.since).total_seconds())}{alerts}{why}"
    level = Level.CRITICAL if stuck.alerts else Level.WARNING
    return Line(name="pending", level=level, text=text, figure=pending, digest=("Sending", text))


def _outbox(store: StoreQueries, config: Config, now: datetime) -> Iterator[Line]:
    counts = store.summary.count_outbox()
    yield pending_line(store, config, now, counts.get(OutboxState.PENDING, 0))
    held = counts.get(OutboxState.HELD, 0) - store.outbox.count_waiting()
    later = ("Outbox", f"{held} answers wait for release: bounce-watch outbox list --state held")
    text = f"{held} wait for your release"
    yield Line(name="held", level=Level.OK, text=text, figure=held, digest=later if held else None)
    unknown = counts.get(OutboxState.UNKNOWN, 0)
    later = ("Sending", f"{unknown} mails may or may not have left: bounce-watch outbox list --state unknown")
    yield _wanted_none("unknown", unknown, "may or may not have been sent", later)
    yield _wanted_none("failed", store.summary.count_failed(now - timedelta(days=1)), "given up within a day")
    yield _wanted_none("quarantine", store.summary.count_quarantined(), "could not be read")


def _wanted_none(name: str, count: int, what: str, digest: tuple[str, str] | None = None) -> Line:
    if not count:
        return Line(name=name, level=Level.OK, text=f"0 {what}", figure=0)
    return Line(name=name, level=Level.WARNING, text=f"{count} {what}", figure=count, digest=digest)


def _stopped(store: StoreQueries, config: Config, now: datetime) -> Iterator[Line]:
    tripped_at, stopped = store.state.breaker_latched_at(), store.state.sending_stopped()
    if tripped_at is None:
        yield Line(name="breaker", level=Level.OK, text="replies may leave", figure=0)
    else:
        since, at = ago((now - tripped_at).total_seconds()), stamp(tripped_at, config.zone)
        waiting = store.outbox.count_waiting()
        text = f"replies are stopped since {since}, {waiting} wait: bounce-watch outbox breaker status"
        later = f"stopped since {at}, too many were due, {waiting} wait: bounce-watch outbox breaker status"
        digest = ("Replies", later)
        yield Line(name="breaker", level=Level.CRITICAL, text=text, figure=1, digest=digest)
    if stopped is None:
        text = "nothing is in the way"
        yield Line(name="sending", level=Level.OK, text=text, figure=0, digest=("Sending", text))
    else:
        text, digest = f"refused: {stopped.why}", ("Sending", f"stopped: {stopped.why[:200]}")
        yield Line(name="sending", level=Level.CRITICAL, text=text, figure=1, digest=digest)
