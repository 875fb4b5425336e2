"""`demo`: one working week of a fictional company, played through the real pipeline into a folder."""

import json
import os
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import tomlkit
import typer
from rich.table import Table

from bounce_watch.cli.common.open_store import run_context
from bounce_watch.cli.common.output import Form, console, emit
from bounce_watch.cli.common.pages import html_of, make_folder
from bounce_watch.cli.common.progress import counting
from bounce_watch.cli.common.when import show_times_of
from bounce_watch.cli.demo_dates import LAST_DAY, last_day_of, moved
from bounce_watch.cli.demo_replies import DemoReplies
from bounce_watch.cli.incidents.incidents import INCIDENT_COLUMNS, incident_json
from bounce_watch.config.load import load_config
from bounce_watch.config.models import Config
from bounce_watch.dns.table import DnsTable
from bounce_watch.model import Digest
from bounce_watch.pipeline import Context, CycleResult, run_cycle
from bounce_watch.pipeline.context import Clock
from bounce_watch.pipeline.digest import gather
from bounce_watch.pipeline.dns_proofs import DnsProofs
from bounce_watch.pipeline.wiring import sender_of, source_of
from bounce_watch.send.interface import Sender
from bounce_watch.shipped_files import folder as shipped
from bounce_watch.store import Stats, open_store, store_location

MARK = ".bounce-watch-demo"
_QUESTIONS = (
    ("Elif calls: her message wasn't delivered. What do I tell her?", "person elif"),
    ("Anna asks what the server's response means.", 'explain "550 5.1.10 RecipientNotFound"'),
    ("Does nordwerk.example reject only us?", "domain nordwerk.example"),
    ("And the admins: what is open, and what to do?", "incidents show 2"),
)


def demo(
    folder: Annotated[Path, typer.Option(help="Where mailbox, store and mails go.")] = Path("demo-output"),
    ends: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Last day of the week (default: yesterday)."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove an earlier demo first.")] = False,
) -> None:
    """Play a sample week and show what comes of it.

    It needs no server, and no message leaves this machine.
    """
    if fresh and (folder / MARK).is_file():
        shutil.rmtree(folder)
    config_path = _prepare(folder)
    later = last_day_of(folder / MARK, ends) - LAST_DAY
    show_times_of(config_path)
    config = load_config(config_path)
    result = _play(folder, config, later)
    _write_letters(folder)
    with open_store(store_location(config.store), read_only=True) as store:
        if not result.messages:
            console().print("Nothing is new: the sample week was played before.", style="bold")
            console().print("Play it again from the start with --fresh.\n")
        _print_figures(store.summary.stats())
        console().print("\nIncidents", style="bold")
        opened = reversed(store.incidents.list())
        emit(map(incident_json, opened), INCIDENT_COLUMNS, Form.TABLE, empty="None.")
    _print_places(folder, config_path)


class DemoClock:
    """A clock that stands still until it is set."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now


def _play(folder: Path, config: Config, later: timedelta) -> CycleResult:
    """Play the week into the folder, some days later; a second time only look for anything new."""
    arrivals = json.loads((shipped("data") / "demo" / "expected.json").read_text(encoding="utf-8"))["files"]
    moments = [datetime.fromisoformat(arrival["arrived_at"]) + later for arrival in arrivals]
    result, digests, replies = CycleResult(), [], DemoReplies()
    clock = DemoClock(moments[0] - timedelta(minutes=1))
    with run_context(config, clock) as opened, sender_of(config) as sender:
        work = _with_demo_dns(opened, config, lambda: clock() - later)
        new = [] if work.store.mailboxes.last_success_fetch_at() else arrivals
        with counting("Playing a week of mail", len(new)) as step:
            for arrival, moment in zip(new, moments, strict=False):
                digests += _digests_until(work, sender, clock, moment, result)
                clock.now = moment + timedelta(seconds=30)
                _deliver(config, arrival["file"], moment, later)
                _look(work, sender, result)
                if replies.deliver(config, clock.now):
                    _look(work, sender, result)
                step()
        if new:
            digests += _digests_until(
                work, sender, clock, min(clock.now + timedelta(hours=24), datetime.now(UTC)), result
            )
        else:
            clock.now = moments[-1] + timedelta(minutes=1)
            _look(work, sender, result)
        for digest in digests:
            letter = work.composer.digest(digest, event_key="demo", to=config.digest_to[0])
            page = folder / f"digest-{digest.local_date.isoformat()}.html"
            page.write_text(letter.html, encoding="utf-8")
    return result


def _with_demo_dns(work: Context, config: Config, clock: Clock) -> Context:
    """Answer the questions to DNS from a table: the demo asks no network."""
    table = DnsTable((shipped("data") / "demo" / "dns.toml").read_text(encoding="utf-8"), clock)
    return replace(work, dns=DnsProofs(config.dns, config.organisation.accepted_domains, table))


def _prepare(folder: Path) -> Path:
    """Make the folder, with a Maildir and a configuration for the other commands; return its path."""
    for name in ("cur", "new", "tmp"):
        make_folder(folder / "mailbox" / name, "--folder")
    (folder / MARK).touch()
    document = tomlkit.parse((shipped("data") / "demo" / "config.toml").read_text(encoding="utf-8"))
    for section, place in (("source", "mailbox"), ("send", "sent"), ("store", "bounce-watch.db")):
        table: Any = document[section]
        table["path"] = place
    path = folder / "config.toml"
    path.write_text(document.as_string(), encoding="utf-8")
    return path


def _deliver(config: Config, name: str, moment: datetime, later: timedelta) -> None:
    """Put one message into the Maildir as a mail server would: write it to tmp, then move it."""
    maildir: Path = config.source[0].path  # type: ignore[union-attr]
    aside = maildir / "tmp" / name
    aside.write_bytes(moved((shipped("data") / "demo" / name).read_bytes(), later))
    os.utime(aside, (moment.timestamp(), moment.timestamp()))
    aside.rename(maildir / "new" / f"{int(moment.timestamp())}.{name.partition('-')[0]}.larkfield")


def _look(work: Context, sender: Sender, result: CycleResult) -> bool:
    """Run one cycle and return whether it made a digest."""
    with source_of(work.config.source[0]) as source:
        seen = run_cycle(work, source, sender)
    result.merge(seen)
    return seen.digest


def _digests_until(
    work: Context, sender: Sender, clock: DemoClock, until: datetime, result: CycleResult
) -> list[Digest]:
    """Set the clock to each digest time until then, run a cycle, and return the digests that were made."""
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


def _write_letters(folder: Path) -> None:
    for mail in sorted((folder / "sent").glob("*.eml")):
        page = mail.with_suffix(".html")
        if not page.exists():
            page.write_text(html_of(mail.read_bytes()), encoding="utf-8")


def _print_figures(stats: Stats) -> None:
    kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(stats.messages.items()))
    withheld, mails = sum(stats.withheld.values()), stats.mails
    rows = (
        ("Messages read", sum(stats.messages.values()), kinds),
        ("Seen before", stats.duplicates, "the same report twice, or a journal copy"),
        ("Bounces", stats.bounces, "one for each recipient"),
        ("Replies to colleagues", mails.get("reply", 0), "what to do, in under 120 words"),
        ("Letters to owners", mails.get("owner", 0), "about bounces of scanners and shop systems"),
        ("Passed on to support", mails.get("question", 0), "what colleagues wrote back"),
        ("Replies not sent", withheld, "robots, repeats, doubtful or spoofed reports"),
        ("Alerts", mails.get("alert", 0), "incidents: the first word, growth, reminders, the all-clear"),
        ("Digests", mails.get("digest", 0), "one each morning"),
        ("In quarantine", stats.quarantined, "unreadable; its bytes are kept"),
    )
    title = "One week at Larkfield Instruments"
    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False
    )
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for label, count, remark in rows:
        table.add_row(label, str(count), remark)
    console().print(table)


def _print_places(folder: Path, config_path: Path) -> None:
    sent = sorted((folder / "sent").glob("*.html"))
    alert = next((path for path in sent if "alert" in path.name), None)
    reply = next((path for path in sent if "reply" in path.name), None)
    digests = sorted(folder.glob("digest-*.html"))
    program = sys.argv[0] if Path(sys.argv[0]).name == "bounce-watch" else "bounce-watch"
    places = [
        ("The newest digest", digests[-1] if digests else None),
        ("An alert", alert),
        ("A reply to a colleague", reply),
        ("All messages sent", folder / "sent"),
    ]
    out = console()
    out.print("Look at", style="bold")
    for title, path in places:
        if path is not None:
            out.print(f"  {title:<25} {path}", soft_wrap=True, markup=False)
    out.print("\nAsk", style="bold")
    for question, command in _QUESTIONS:
        out.print(f"  {question}", markup=False)
        out.print(f"    {program} --config {config_path} {command}", soft_wrap=True, markup=False)
