"""`demo`: one working week of a fictional company, played through the real pipeline into a folder.

The closing page of the demo: what happened, and where to look."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.output import Form, console, emit
from bounce_watch.cli.demo.play import Played
from bounce_watch.cli.incidents.incidents import incident_columns, incident_json
from bounce_watch.store import Stats, Store, open_store, place_of


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
    from rich.table import Table

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


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    folder: Annotated[Path, typer.Option(help="Where mailbox, store and mails go.")] = Path("demo-output"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Remove an earlier demo first.")] = False,
) -> None:
    """Play a sample week of bounces and show what comes of it. No server, no mail leaves this machine."""
    from bounce_watch.cli.demo.play import play, remove

    if fresh:
        remove(folder)
    print_report(play(folder))
