"""`run --dry-run`: a whole cycle on a copy of the store; nothing is moved, sent or kept."""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from bounce_watch.cli.common.open_store import working
from bounce_watch.cli.common.output import say
from bounce_watch.cli.common.progress import measuring
from bounce_watch.cli.run import look_once, print_cycle
from bounce_watch.config.models import Config
from bounce_watch.model import OutboxState
from bounce_watch.model.check import Check
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.pipeline import run_due_work
from bounce_watch.pipeline.ingest.read import fetch_messages, fetch_whole
from bounce_watch.source.interface import Message, Source, Wanted, everything, never
from bounce_watch.store import StoreMissing, place_of
from bounce_watch.store.copy import copy_store


class Untouched:
    """A source that is looked at only: nothing in it is moved."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.name = source.name

    def __enter__(self) -> "Untouched":
        self._source.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._source.__exit__(*exc)

    @property
    def skipped(self) -> Sequence[tuple[str, str]]:
        return self._source.skipped

    def count(self) -> int | None:
        return self._source.count()

    @property
    def reached(self) -> MessageLocation | None:
        return self._source.reached

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        return self._source.messages(wanted, after)

    def partial_messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        return fetch_messages(self._source, wanted, after)

    def fetch_whole(self, message: Message) -> Message | None:
        return fetch_whole(self._source, message)

    def wait(self, seconds: float, stop: Callable[[], bool] = never) -> bool:
        return self._source.wait(seconds, stop)

    def diagnose(self) -> list[Check]:
        return self._source.diagnose()

    def file(self, *locations: MessageLocation) -> None:
        """Leave the messages where they are."""

    def quarantine(self, *locations: MessageLocation) -> None:
        """Leave the messages where they are."""


def rehearse(config: Config, *, as_json: bool) -> None:
    """Run one cycle on a copy and tell what would have happened."""
    folder = Path(tempfile.mkdtemp(prefix="bounce-watch-dry-run-"))
    try:
        copy = config.model_copy(
            update={"store": config.store.model_copy(update={"path": folder / "store.db", "url": None})}
        )
        _copy_store(config, copy.store.path)
        with working(copy) as work:
            before = work.store.outbox.newest()
            result, faults = look_once(config, work, never, Untouched)
            run_due_work(work, None, None, result, hurry=True)
            due = work.store.outbox.due(work.clock(), limit=20)
            held = [mail for mail in work.store.outbox.list([OutboxState.HELD], 20) if mail.id > before]
        if len(faults) == len(config.source):
            raise faults[0]
        print_cycle(result, as_json=as_json)
        for mail in due:
            say(f"Would send to {mail.recipient}: {mail.subject}")
        for mail in reversed(held):
            say(f"Would hold for your release, to {mail.recipient}: {mail.subject}")
        say("This was a rehearsal: nothing was stored, moved or sent.")
        if faults:
            raise faults[0]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy_store(config: Config, target: Path) -> None:
    """Copy the store to a file of our own; where there is none yet, the rehearsal begins with none."""
    place = place_of(config.store)
    if isinstance(place, Path):
        _copy_file(place, target)
        return
    with suppress(StoreMissing), measuring("Copying the store") as progress:
        copy_store(place, target, progress=progress)


def _copy_file(source: Path, target: Path) -> None:
    if not source.is_file():
        return
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as before,
        closing(sqlite3.connect(target)) as after,
    ):
        before.backup(after)
    target.chmod(0o600)
