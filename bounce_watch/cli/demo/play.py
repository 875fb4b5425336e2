"""Play the sample week: each mail arrives at its own time, and the clock of the demo follows."""

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import tomlkit

from bounce_watch.cli.common.open_store import working
from bounce_watch.cli.common.progress import counting
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.model import Digest
from bounce_watch.pipeline import Context, CycleResult, run_cycle
from bounce_watch.pipeline.digest import gather
from bounce_watch.pipeline.wiring import sender_of, source_of
from bounce_watch.send.interface import Sender
from bounce_watch.shipped_files import folder as shipped

MARK = ".bounce-watch-demo"


class DemoClock:
    """A clock that stands still until it is set."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What the demo leaves: the folder, the figures of this run, the newest digest (None: nothing new)."""

    folder: Path
    config: Config
    config_path: Path
    result: CycleResult
    digests: tuple[Path, ...]


def remove(folder: Path) -> None:
    """Remove an earlier demo; a folder that is none is left alone."""
    if (folder / MARK).is_file():
        shutil.rmtree(folder)


def play(folder: Path) -> Played:
    """Play the week into a folder; a second time there is nothing new to play."""
    arrivals = json.loads((shipped("data") / "demo" / "expected.json").read_text(encoding="utf-8"))["files"]
    config_path = _prepare(folder)
    config = load_config(config_path)
    result, digests = CycleResult(), []
    first = datetime.fromisoformat(arrivals[0]["arrived_at"]) - timedelta(minutes=1)
    clock = DemoClock(first)
    with working(config, clock) as work, sender_of(config) as sender:
        new = [] if work.store.mailboxes.last_success_fetch_at() else arrivals
        with counting("Playing a week of mail", len(new)) as step:
            for arrival in new:
                moment = datetime.fromisoformat(arrival["arrived_at"])
                digests += _digests_until(work, sender, clock, moment, result)
                clock.now = moment + timedelta(seconds=30)
                _deliver(config, arrival["file"], moment)
                _look(work, sender, result)
                step()
        if new:
            digests += _digests_until(work, sender, clock, clock.now + timedelta(hours=24), result)
        else:
            clock.now = datetime.fromisoformat(arrivals[-1]["arrived_at"]) + timedelta(minutes=1)
            _look(work, sender, result)
        pages = tuple(_write_page(work, folder, digest) for digest in digests)
    _write_letters(folder)
    return Played(folder=folder, config=config, config_path=config_path, result=result, digests=pages)


def _prepare(folder: Path) -> Path:
    """Make the folder with its Maildir and a configuration that the other commands can use."""
    for name in ("cur", "new", "tmp"):
        (folder / "mailbox" / name).mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    document = tomlkit.parse((shipped("data") / "demo" / "config.toml").read_text(encoding="utf-8"))
    for section, place in (("source", "mailbox"), ("send", "sent"), ("store", "bounce-watch.db")):
        table: Any = document[section]
        table["path"] = place
    path = folder / "config.toml"
    path.write_text(document.as_string(), encoding="utf-8")
    return path


def _deliver(config: Config, name: str, moment: datetime) -> None:
    """Put one mail into the Maildir as a mail server would: written aside, dated, moved in."""
    maildir: Path = config.source[0].path  # type: ignore[union-attr]
    aside = maildir / "tmp" / name
    aside.write_bytes((shipped("data") / "demo" / name).read_bytes())
    os.utime(aside, (moment.timestamp(), moment.timestamp()))
    aside.rename(maildir / "new" / f"{int(moment.timestamp())}.{name.partition('-')[0]}.larkfield")


def _look(work: Context, sender: Sender, result: CycleResult) -> bool:
    """Run one cycle; tell whether it made a digest."""
    with source_of(work.config.source[0]) as source:
        seen = run_cycle(work, source, sender)
    result.merge(seen)
    return seen.digest


def _digests_until(
    work: Context, sender: Sender, clock: DemoClock, until: datetime, result: CycleResult
) -> list[Digest]:
    """Let every digest time between now and then come; return the digests that were made."""
    made = []
    zone, at = work.config.zone, work.config.digest.at
    day = clock.now.astimezone(zone).date()
    while (due := datetime.combine(day, at, zone).astimezone(UTC)) <= until:
        if due > clock.now:
            clock.now = due
            if _look(work, sender, result):
                made.append(gather(work.config, work.store, clock.now, day))
        day += timedelta(days=1)
    return made


def _write_page(work: Context, folder: Path, digest: Digest) -> Path:
    letter = work.composer.digest(digest, event_key="demo", to=work.config.digest_to[0])
    path = folder / f"digest-{digest.local_date.isoformat()}.html"
    path.write_text(letter.html, encoding="utf-8")
    return path


def _write_letters(folder: Path) -> None:
    """Write each mail's HTML beside it, so that a browser shows what its reader sees."""
    from bounce_watch.cli.common.pages import html_of

    for mail in sorted((folder / "sent").glob("*.eml")):
        page = mail.with_suffix(".html")
        if not page.exists():
            page.write_text(html_of(mail.read_bytes()), encoding="utf-8")
