"""The program's commands. Only the module of the command that is called is imported, so `--help` is quick."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from bounce_watch import __version__


class Listed(NamedTuple):
    """Where a command is defined, and the first sentence of its help.

    The module holds an object named as the command: a function, or a `typer.Typer` with subcommands.
    """

    module: str
    help: str


COMMANDS = {
    "demo": Listed("demo", "Play a sample week of bounces and show what comes of it."),
    "init": Listed("setup.init", "Write a commented configuration by asking a few questions."),
    "check": Listed("setup.check", "Test every part of the set-up and say what repairs it."),
    "run": Listed(
        "run", "Watch the mailbox: read reports, answer colleagues, alert admins, send the daily digest."
    ),
    "status": Listed(
        "status",
        "Say how the service is doing, as a Nagios plugin: status 0 ok, 1 warning, 2 critical, 3 unknown.",
    ),
    "ingest": Listed("ingest", "Read files into the history."),
    "parse": Listed("parse", "Read mails and print what they report."),
    "explain": Listed(
        "explain", "Say why a mail was read and judged as it was, or what a code or a server's reply means."
    ),
    "history": Listed("queries.history", "List bounces, newest first."),
    "show": Listed(
        "queries.show",
        "Show all that is known of one bounce: the report, the judgement, what was written about it.",
    ),
    "stats": Listed(
        "queries.stats",
        "Show in one look what failed, who must act, and without a filter what was done about it.",
    ),
    "top": Listed("queries.top", "Count failed mails by one value, most first."),
    "trend": Listed(
        "queries.top",
        "Draw how many mails failed, period by period, and how that compares with the time before.",
    ),
    "person": Listed(
        "queries.person",
        "Tell all about one colleague: what came back, what they were told, what to tell them now.",
    ),
    "domain": Listed(
        "queries.person",
        "Tell all about one destination: what fails there and since when, whom it concerns, what it says.",
    ),
    "digest": Listed("digest", "Print the digest as it would be sent now; nothing is sent without --send."),
    "report": Listed(
        "report", "Write a self-contained HTML page: course, incidents, causes, senders, newest bounces."
    ),
    "calibrate": Listed(
        "setup.calibrate", "Show which evidence genuine reports carry, and propose what [trust] should say."
    ),
    "purge": Listed("purge", "Delete what is old, beside a running service."),
    "export": Listed(
        "export", "Hand out all that is stored about one person; other people in it are left out."
    ),
    "forget": Listed(
        "forget",
        "Take a person out of the store, beside a running service: a pseudonym stands in their place.",
    ),
    "incidents": Listed(
        "incidents.incidents", "List incidents and show what proves them and what ends them."
    ),
    "rules": Listed("rules", "See the detection rules, check them, and try others on the stored history."),
    "outbox": Listed("outbox", "See, release or give up the mails that bounce-watch writes."),
    "breaker": Listed(
        "outbox", "See whether replies are stopped because too many were due, and allow them again."
    ),
    "quarantine": Listed("quarantine", "See mails that could not be read, and read them again."),
    "templates": Listed("templates", "List, preview and check the texts of our mails."),
    "db": Listed("db", "Care for the store: upgrade, back up, copy, check, vacuum."),
}


class LazyGroup(TyperGroup):
    """Stands in for each command until it is called; help and completion need only names and sentences."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = {name: TyperCommand(name, help=listed.help) for name, listed in COMMANDS.items()}

    def load(self, name: str) -> None:
        """Import the module of a command and put the command itself in its place."""
        found = getattr(import_module(f"bounce_watch.cli.{COMMANDS[name].module}"), name)
        holder = typer.Typer(rich_markup_mode=None)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name)
        else:
            holder.command(name)(found)
        self.commands[name] = typer.main.get_group(holder).commands[name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the command that is called."""
        if args[0] in COMMANDS:
            self.load(args[0])
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=LazyGroup,
    name="bounce-watch",
    help="Read the bounces of your organisation, see who must act, and tell them exactly what to do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bounce-watch {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="FILE", help="Configuration file (default: the usual places)."
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    context.obj = config
