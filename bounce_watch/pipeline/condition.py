"""How the service is doing, judged by the site's limits: for `status`, for figures and for monitoring."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from bounce_watch.config.models import Config
from bounce_watch.model import OutboxState, Severity
from bounce_watch.store import StoreQueries

DAY = timedelta(days=1)


class Level(IntEnum):
    """What Nagios plugins exit with."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One part of the service. `figure` is a number to draw, None for none; seconds where it is a time."""

    name: str
    level: Level
    text: str
    figure: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the store itself does not know: who works with it, its size in bytes (None: on a
    server), and the names of sources by their label."""

    holder: str | None
    size: int | None
    sources: Mapping[str, str]


def look_beside(config: Config, sources: Mapping[str, str], at_work: Sequence[str]) -> Beside:
    """Find how large the store is. `sources` are the names of sources by label, `at_work` processes."""
    return Beside(holder=", ".join(at_work) or None, size=_size(config), sources=sources)


def _size(config: Config) -> int | None:
    """Return the bytes of the file and its log, None for a database on a server."""
    if config.store.url is not None:
        return None
    path = config.store.path
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def judge_condition(store: StoreQueries, config: Config, now: datetime, beside: Beside) -> tuple[Line, ...]:
    """Return a line for each part, in a fixed order."""
    return (
        _service(config, beside),
        *(_mailbox(store, config, now, label, name) for label, name in beside.sources.items()),
        *_outbox(store, config, now),
        *_stopped(store, now),
        _incidents(store),
        Line(name="store", level=Level.OK, text=_bytes(beside.size), figure=beside.size),
        _digest(store, config, now),
    )


def worst(lines: tuple[Line, ...]) -> Level:
    return max((line.level for line in lines), default=Level.UNKNOWN)


def _service(config: Config, beside: Beside) -> Line:
    if beside.holder is not None:
        return Line(name="service", level=Level.OK, text=f"{beside.holder} is at work")
    level = Level.WARNING if config.monitor.expect_service else Level.OK
    return Line(name="service", level=level, text="no service is at work with this store")


def _mailbox(store: StoreQueries, config: Config, now: datetime, label: str, name: str) -> Line:
    looked, trouble = store.mailboxes.last_look_at(name), store.mailboxes.trouble_with(name)
    age = None if looked is None else max(0.0, (now - looked).total_seconds())
    text = "never read" if age is None else f"read {ago(age)} ago"
    if trouble is not None:
        text = f"{text}; {trouble.why}"
    stale = age is not None and age > config.monitor.stale_minutes * 60
    waited = trouble is not None and (now - trouble.since).total_seconds() > config.monitor.stale_minutes * 60
    level = Level.CRITICAL if stale or waited else Level.WARNING if trouble or age is None else Level.OK
    return Line(name=f"mailbox {label}", level=level, text=text, figure=age)


def _outbox(store: StoreQueries, config: Config, now: datetime) -> Iterator[Line]:
    counts, oldest = store.summary.count_outbox(), store.summary.oldest_pending_at()
    pending, age = counts.get(OutboxState.PENDING, 0), (now - oldest).total_seconds() if oldest else 0.0
    late = age > config.monitor.pending_minutes * 60
    text = f"{pending} wait to be sent" + (f", the oldest for {ago(age)}" if oldest else "")
    yield Line(name="pending", level=Level.WARNING if late else Level.OK, text=text, figure=pending)
    held = counts.get(OutboxState.HELD, 0)
    yield Line(name="held", level=Level.OK, text=f"{held} wait for your release", figure=held)
    yield _wanted_none("unknown", counts.get(OutboxState.UNKNOWN, 0), "may or may not have been sent")
    yield _wanted_none("failed", store.summary.count_failed(now - DAY), "given up within a day")
    yield _wanted_none("quarantine", store.summary.count_quarantined(), "could not be read")


def _wanted_none(name: str, count: int, what: str) -> Line:
    return Line(name=name, level=Level.WARNING if count else Level.OK, text=f"{count} {what}", figure=count)


def _stopped(store: StoreQueries, now: datetime) -> Iterator[Line]:
    latched, stopped = store.state.breaker_latched_at(), store.state.sending_stopped()
    if latched is None:
        yield Line(name="breaker", level=Level.OK, text="replies may leave", figure=0)
    else:
        since = ago((now - latched).total_seconds())
        text = f"replies are stopped since {since}: bounce-watch breaker status"
        yield Line(name="breaker", level=Level.CRITICAL, text=text, figure=1)
    if stopped is None:
        yield Line(name="sending", level=Level.OK, text="nothing is in the way", figure=0)
    else:
        yield Line(name="sending", level=Level.CRITICAL, text=f"refused: {stopped.why}", figure=1)


def _incidents(store: StoreQueries) -> Line:
    open_now = store.incidents.list_open()
    urgent = [
        one for one in open_now
        if one.finding.severity is Severity.CRITICAL and one.acknowledged_at is None and not one.historical
    ]  # fmt: skip
    text = f"{len(open_now)} open"
    if urgent:
        text += f", critical and nobody is on it: {', '.join(one.name for one in urgent[:5])}"
    level = Level.WARNING if urgent else Level.OK
    return Line(name="incidents", level=level, text=text, figure=len(open_now))


def _digest(store: StoreQueries, config: Config, now: datetime) -> Line:
    newest, local = store.digests.last_date(), now.astimezone(config.zone)
    at = f"{config.digest.at:%H:%M}"
    if local.time() < config.digest.at:
        text = f"next today at {at}"
    elif newest is not None and newest >= local.date():
        text = f"next tomorrow at {at}"
    else:
        text = "next with the next look"
    return Line(name="digest", level=Level.OK, text=text)


def ago(seconds: float) -> str:
    """Return a length of time in its largest fitting unit."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} seconds"


def _bytes(size: int | None) -> str:
    if size is None:
        return "on a server"
    return f"{size / 1024**2:.1f} MB" if size < 1024**3 else f"{size / 1024**3:.2f} GB"
