"""The one judgement of how the service is doing: for `status`, the digest, metrics and the heartbeat."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from bounce_watch.config.models import Config
from bounce_watch.model import Health, Severity
from bounce_watch.notifications.rendering.local_time import stamp
from bounce_watch.pipeline.context import read_catalogue
from bounce_watch.pipeline.elapsed import has_passed
from bounce_watch.pipeline.health.line import Level, Line, ago
from bounce_watch.pipeline.health.sending import judge_sending
from bounce_watch.pipeline.room import MEGABYTE, require_room
from bounce_watch.store import MailboxPart, StoreFull, StoreQueries

_MANY = 5
"""So many critical incidents that no admin has acknowledged make the status critical."""
_STATES = {Level.OK: "ok", Level.WARNING: "warning", Level.CRITICAL: "failure"}


def judge_health(
    store: StoreQueries,
    config: Config,
    now: datetime,
    *,
    sources: Mapping[str, str],
    workers: Sequence[str] | None,
) -> tuple[Line, ...]:
    """Return a line for each part, in a fixed order.

    `sources` holds the name of each source by its label. `workers` names the processes that work with the
    store; None leaves out the line about them.
    """
    return (
        *([] if workers is None else [_service(config, workers)]),
        *judge_mailboxes(store, config, now, sources),
        *_filing(store, config, sources),
        *_disk(config),
        *_owners(config),
        *judge_sending(store, config, now),
        _incidents(store),
        _size(config),
        _digest(store, config, now),
        *_verdicts(store, config),
    )


def judge_mailboxes(
    store: StoreQueries, config: Config, now: datetime, sources: Mapping[str, str]
) -> tuple[Line, ...]:
    """Return the lines about the mailboxes alone."""
    mailboxes = (_mailbox(store, config, now, label, name) for label, name in sources.items())
    return (*mailboxes, *_unfetched(store, sources))


def worst(lines: tuple[Line, ...]) -> Level:
    return max((line.level for line in lines), default=Level.UNKNOWN)


def for_digest(lines: tuple[Line, ...]) -> tuple[Health, ...]:
    return tuple(
        Health(name=line.digest[0], state=_STATES[line.level], text=line.digest[1])
        for line in lines
        if line.digest is not None
    )


def _service(config: Config, workers: Sequence[str]) -> Line:
    if workers:
        return Line(name="service", level=Level.OK, text=f"{', '.join(workers)} is at work")
    level = Level.WARNING if config.monitor.expect_service else Level.OK
    return Line(name="service", level=level, text="service not running")


def _mailbox(store: StoreQueries, config: Config, now: datetime, label: str, name: str) -> Line:
    """Judge a mailbox: critical once it was not read, or not without a fault, for `stale_minutes`."""
    read_at, trouble = store.mailboxes.last_look_at(name), store.mailboxes.trouble_with(name)
    limit = timedelta(minutes=config.monitor.stale_minutes)
    is_stale = read_at is not None and has_passed(limit, read_at, now)
    if is_stale or (trouble is not None and now - trouble.since > limit):
        level = Level.CRITICAL
    else:
        level = Level.WARNING if trouble or read_at is None else Level.OK
    age = None if read_at is None else max(0.0, (now - read_at).total_seconds())
    text = "never read" if age is None else f"read {ago(age)} ago"
    later = f"{name} was read without a fault"
    if trouble is not None:
        text = f"{text}; {trouble.why}"
        later = f"{name} cannot be read since {stamp(trouble.since, config.zone)}: {trouble.why[:200]}"
    elif age is None:
        later = f"{name} was not read yet"
    elif is_stale:
        later = f"{name} was last read {ago(age)} ago; see the service's log"
    return Line(name=f"mailbox {label}", level=level, text=text, figure=age, digest=("Mailbox", later))


def _unfetched(store: StoreQueries, sources: Mapping[str, str]) -> Iterator[Line]:
    for label, name in sources.items():
        if messages := store.mailboxes.unfetched(name):
            some = "; ".join(f"{place}: {why}" for place, why in list(messages.items())[:3])
            text = f"{len(messages)} messages could not be fetched and stay there: {some[:300]}"
            yield Line(
                name=f"not fetched {label}",
                level=Level.WARNING,
                text=text,
                figure=len(messages),
                digest=("Mailbox", f"{name}: {text}"),
            )


def _filing(store: StoreQueries, config: Config, sources: Mapping[str, str]) -> Iterator[Line]:
    """Yield a line for each mailbox whose messages cannot be moved; they are read all the same."""
    for label, name in sources.items():
        if (trouble := store.mailboxes.trouble_with(name, MailboxPart.FILING)) is not None:
            text = (
                f"messages stay in the mailbox since {stamp(trouble.since, config.zone)}: {trouble.why[:200]}"
            )
            yield Line(name=f"filing {label}", level=Level.WARNING, text=text, digest=("Filing", text))


def _disk(config: Config) -> Iterator[Line]:
    """Yield a line only while mail waits for free space."""
    try:
        require_room(config)
    except StoreFull as error:
        # The remedy comes first: a long path is cut off at the end of the line.
        text = f"Free space on the store's disk. {error}"
        yield Line(name="disk", level=Level.CRITICAL, text=text, digest=("Disk", text))
    except OSError:
        return


def _owners(config: Config) -> Iterator[Line]:
    for fault in config.owner_faults:
        text = f"{fault}; the service keeps the rows that it read before"
        yield Line(name="owners", level=Level.WARNING, text=text, digest=("Owners", text))


def _incidents(store: StoreQueries) -> Line:
    open_now = store.incidents.list_open()
    urgent = [
        one for one in open_now
        if one.finding.severity is Severity.CRITICAL and one.acknowledged_at is None and not one.historical
    ]  # fmt: skip
    text = f"{len(open_now)} open"
    if urgent:
        text += f", critical, unacknowledged: {', '.join(one.name for one in urgent)}"
    level = Level.CRITICAL if len(urgent) >= _MANY else Level.WARNING if urgent else Level.OK
    return Line(name="incidents", level=level, text=text, figure=len(open_now))


def _size(config: Config) -> Line:
    """Tell the bytes of the file and its log; a database on a server has no size here."""
    size = None
    if config.store.url is None:
        path = config.store.path
        files = (path, path.with_name(f"{path.name}-wal"))
        size = sum(file.stat().st_size for file in files if file.exists())
    return Line(name="store", level=Level.OK, text=_bytes(size), figure=size)


def _digest(store: StoreQueries, config: Config, now: datetime) -> Line:
    local = now.astimezone(config.zone)
    newest = store.digests.last_date(local.date())
    at = f"{config.digest.at:%H:%M}"
    if local.time() < config.digest.at:
        text = f"next today at {at}"
    elif newest is not None and newest >= local.date():
        text = f"next tomorrow at {at}"
    else:
        text = "next with the next look"
    return Line(name="digest", level=Level.OK, text=text)


def _verdicts(store: StoreQueries, config: Config) -> Iterator[Line]:
    """Yield a line only if a new catalogue would judge stored bounces otherwise."""
    if count := store.verdicts.otherwise(read_catalogue(config).version):
        text = (
            f"stored bounces that the new catalogue judges differently: {count}; run bounce-watch reclassify"
        )
        yield Line(name="catalogue", level=Level.OK, text=text, figure=count, digest=("Catalogue", text))


def _bytes(size: int | None) -> str:
    if size is None:
        return "on a server"
    return f"{size / MEGABYTE:.1f} MB" if size < 1024**3 else f"{size / 1024**3:.2f} GB"
