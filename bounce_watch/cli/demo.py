"""`demo`: one working week of a fictional company, played through the real pipeline into a folder."""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import tomlkit
import typer
from rich.table import Table

from bounce_watch.cli.common.open_store import run_context
from bounce_watch.cli.common.output import Form, console, emit
from bounce_watch.cli.common.pages import html_of
from bounce_watch.cli.common.progress import counting
from bounce_watch.cli.incidents.incidents import incident_columns, incident_json
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.model import Digest
from bounce_watch.pipeline import Context, CycleResult, run_cycle
from bounce_watch.pipeline.digest import gather
from bounce_watch.pipeline.wiring import sender_of, source_of
from bounce_watch.send.interface import Sender
from bounce_watch.shipped_files import folder as shipped
from bounce_watch.store import Stats, Store, open_store, place_of

MARK = ".bounce-watch-demo"


def demo(
    folder: Annotated[Path, typer.Option(help="Where mailbox, store and mails go.")] = Path("demo-output"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove an earlier demo first.")] = False,
) -> None:
    """Play a sample week of bounces and show what comes of it. No server, no mail leaves this machine."""
    if fresh:
        remove(folder)
    print_report(play(folder))


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
    with run_context(config, clock) as work, sender_of(config) as sender:
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
    for mail in sorted((folder / "sent").glob("*.eml")):
        page = mail.with_suffix(".html")
        if not page.exists():
            page.write_text(html_of(mail.read_bytes()), encoding="utf-8")


def print_report(played: Played) -> None:
    """Print figures, incidents and the paths that are worth a look."""
    with open_store(place_of(played.config.store), read_only=True) as store:
        if not played.result.messages:
            console().print("Nothing is new: the sample week was played before.", style="bold")
            console().print("Play it again from the start with --fresh.\n")
        console().print(_figures(store.summary.stats()))
        _print_incidents(store)
    _print_places(played)


def _figures(stats: Stats) -> Any:
    title = "One week at Larkfield Instruments"
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False
    )
    table.add_column("")
    table.add_column("", justify="right")
    table.add_column("")
    kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(stats.messages.items()))
    mails = stats.mails
    table.add_row("Mails read", str(sum(stats.messages.values())), kinds)
    table.add_row("Seen before", str(stats.duplicates), "the same report twice, or a journal copy")
    table.add_row("Bounces", str(stats.bounces), "one for each recipient")
    table.add_row("Answers to colleagues", str(mails.get("reply", 0)), "what to do, in under 120 words")
    table.add_row(
        "Answers withheld", str(sum(stats.withheld.values())), "robots, repeats, doubtful or forged reports"
    )
    table.add_row(
        "Alerts", str(mails.get("alert", 0)), "incidents: the first word, growth, reminders, the all-clear"
    )
    table.add_row("Digests", str(mails.get("digest", 0)), "one each morning")
    table.add_row("In quarantine", str(stats.quarantined), "nobody could read it; its bytes are kept")
    return table


def _print_incidents(store: Store) -> None:
    """Show the incidents as `bounce-watch incidents` does, in the order in which they opened."""
    found = list(reversed(store.incidents.list()))
    console().print("\nIncidents", style="bold")
    emit(map(incident_json, found), incident_columns(), Form.TABLE, empty="None.")


def _print_places(played: Played) -> None:
    sent = sorted((played.folder / "sent").glob("*.html"))
    alert = next((path for path in sent if "alert" in path.name), None)
    reply = next((path for path in sent if "reply" in path.name), None)
    digests = sorted(played.folder.glob("digest-*.html"))
    program = sys.argv[0] if Path(sys.argv[0]).name == "bounce-watch" else "bounce-watch"
    places = [
        ("The newest digest", digests[-1] if digests else None),
        ("An alert", alert),
        ("An answer to a colleague", reply),
        ("All mails", played.folder / "sent"),
    ]
    out = console()
    out.print("Look at", style="bold")
    for title, path in places:
        if path is not None:
            out.print(f"  {title:<25} {path}", soft_wrap=True, markup=False)
    out.print("\nAsk", style="bold")
    for command in ("history", "incidents", "incidents show 1", "top domain", "digest"):
        out.print(f"  {program} --config {played.config_path} {command}", soft_wrap=True, markup=False)
