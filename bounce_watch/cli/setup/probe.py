"""`check --probe`: send one message that must bounce, wait, and describe what comes back."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import typer

from bounce_watch.cli.common.output import say
from bounce_watch.cli.common.progress import measuring
from bounce_watch.cli.setup.probe_output import about, nothing_came
from bounce_watch.config.accounts import FolderSettings, ImapSettings, MaildirSettings
from bounce_watch.config.models import Config
from bounce_watch.model.check import Check
from bounce_watch.notifications.gate.values import Refused
from bounce_watch.pipeline import Context, open_context
from bounce_watch.pipeline.context import find_signatures
from bounce_watch.pipeline.probe import CameBack, ProbeMail, Watch, made_up_address, send_probe
from bounce_watch.pipeline.wiring import sender_of, source_of
from bounce_watch.send.interface import Outcome
from bounce_watch.source.interface import MissingFolder, Source, Unreachable
from bounce_watch.store import open_store, store_location, work_with, workers

_PAUSES = (1.0, 2.0, 5.0)
"""Seconds between two looks; the last pause repeats."""
_LINGER, _LINGER_SHARE = 10.0, 1 / 20
"""How long to wait for a second copy: seconds, or a share of the whole wait if that is less."""
_SPAN = re.compile(r"(\d{1,5})\s*(s|m|min|h)?")
_UNITS = {None: 60, "s": 1, "m": 60, "min": 60, "h": 3600}


def read_span(text: str) -> timedelta:
    """Return a length of time such as 90s, 10m or 1h; a bare number counts minutes. Raises BadParameter."""
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None or not int(match[1]):
        raise typer.BadParameter(f"{text!r} is no length of time; write 90s, 10m or 1h", param_hint="--wait")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def run_probe(config: Config, *, to: str | None, wait: timedelta, by_hand: bool) -> Iterator[Check]:
    """Yield what became of one probe. Raises what opening store and mailbox raises."""
    if isinstance(config.send, FolderSettings) and not by_hand:
        repair = 'use send.type = "smtp", or --by-hand and send the mail yourself'
        yield Check("probe", "failure", "not sent: mail is written to a folder here", repair)
        return
    with _opened(config) as (work, watch):
        watch.begin()
        sent, check = _by_hand(work, to) if by_hand else _send(work, config, to)
        yield check
        if sent is None:
            return
        came = _wait(watch, sent, wait)
        yield from (line for one in came for line in about(work, sent, one))
        if not came:
            yield nothing_came(work, sent, wait)


@contextmanager
def _opened(config: Config) -> Iterator[tuple[Context, Watch]]:
    """Open the store, beside a service that may be running, and the folders where a report may arrive."""
    place = store_location(config.store)
    is_new, at_work = isinstance(place, Path) and not place.exists(), workers(place)
    with ExitStack() as stack:
        if is_new:
            stack.enter_context(work_with(place))
        store = stack.enter_context(open_store(place, migrate=is_new))
        work = open_context(config, store)
        stack.callback(work.close)
        sources = [stack.enter_context(source) for source in _folders(config, None)]
        if at_work:
            sources += [source for source in _folders(config, "filed") if _enters(stack, source)]
        yield work, Watch(work, tuple(sources), find_signatures(config))


def _folders(config: Config, which: str | None) -> Iterator[Source]:
    """Yield the watched folders, or those to which a running service files reports."""
    for settings in config.source:
        if which is None:
            yield source_of(settings)
        elif isinstance(settings, ImapSettings):
            yield source_of(settings.model_copy(update={"folder": settings.filed_folder}))
        elif isinstance(settings, MaildirSettings):
            folder = settings.path / f".{settings.filed_folder.replace('/', '.')}"
            yield source_of(settings.model_copy(update={"path": folder}))


def _enters(stack: ExitStack, source: Source) -> bool:
    """Open a folder; return False when it does not exist."""
    try:
        stack.enter_context(source)
    except MissingFolder:
        return False
    return True


def _by_hand(work: Context, to: str | None) -> tuple[ProbeMail, Check]:
    sent = ProbeMail(to=to or made_up_address(), bw_id=None, started_at=work.clock())
    say(f"Now send a mail, from a mailbox whose bounces we should see, to: {sent.to}")
    return sent, Check("probe", "ok", f"expected from you, to {sent.to}")


def _send(work: Context, config: Config, to: str | None) -> tuple[ProbeMail | None, Check]:
    # A message with a null reverse path never bounces.
    returning = config.model_copy(update={"send": config.send.model_copy(update={"reverse_path": "mailbox"})})
    with sender_of(returning) as sender:
        sent, delivery = send_probe(work, sender, to or made_up_address())
        way = sender.name
    if isinstance(delivery, Refused):
        repair = "name another address with --to, or look at bounce-watch outbox breaker status"
        return None, Check("probe", "failure", f"not sent: {delivery.text}", repair)
    if delivery.outcome in {Outcome.SENT, Outcome.UNKNOWN}:
        text = f"sent to {sent.to} by {work.sender[1]} through {way}: {delivery.reply}"
        return sent, Check("probe", "ok", text)
    repair = delivery.repair or "the server takes no mail to that address: name another one with --to"
    return None, Check("probe", "failure", f"not sent: {delivery.reply}", repair, delivery.commands)


def _wait(watch: Watch, sent: ProbeMail, wait: timedelta) -> list[CameBack]:
    """Look until shortly after the first report, until the time is over, or until Ctrl-C."""
    came: list[CameBack] = []
    start, length, looks = time.monotonic(), wait.total_seconds(), 0
    until = start + length
    with measuring("Waiting for what comes back (Ctrl-C ends it)") as show:
        try:
            while (now := time.monotonic()) < until:
                show(int(now - start), int(length))
                try:
                    found = list(watch.look(sent))
                except Unreachable:
                    found = []
                if found and not came:
                    until = min(until, now + min(_LINGER, length * _LINGER_SHARE))
                came += found
                time.sleep(max(0.0, min(_PAUSES[min(looks, len(_PAUSES) - 1)], until - time.monotonic())))
                looks += 1
        except KeyboardInterrupt:
            return came
    return came
