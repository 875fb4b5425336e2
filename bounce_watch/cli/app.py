"""The program's commands. Only the module of the command that is called is imported, so `--help` is quick."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

from bounce_watch import __version__


class Listed(NamedTuple):
    """Where a command is defined, the first sentence of its help, and its group in the list of commands.

    The module holds an object named as the command: a function, or a `typer.Typer` with subcommands.
    """

    module: str
    help: str
    group: str


COMMANDS = {
    "demo": Listed("demo", "Play a sample week and show what comes of it.", "Set up"),
    "init": Listed("setup.init", "Write a configuration by asking a few questions.", "Set up"),
    "check": Listed("setup.check", "Test every part of the setup and suggest fixes.", "Set up"),
    "calibrate": Listed("setup.calibrate", "Propose what [trust] should say for this site.", "Set up"),
    "templates": Listed("templates", "List, preview and check the texts of our messages.", "Set up"),
    "run": Listed("run", "Watch the mailbox, reply, alert, and send the digest.", "Run"),
    "status": Listed("status", "Show service health; works as a Nagios plugin.", "Run"),
    "ingest": Listed("ingest", "Read message files into the history.", "Run"),
    "history": Listed("queries.history", "List bounces, newest first.", "Ask"),
    "show": Listed("queries.show", "Show everything about one bounce.", "Ask"),
    "person": Listed("queries.person", "Show one user's bounces and replies.", "Ask"),
    "domain": Listed("queries.person", "Show what fails at one recipient domain.", "Ask"),
    "addresses": Listed("queries.addresses", "List dead addresses, with the evidence.", "Ask"),
    "owners": Listed("queries.owners", "List owners of unattended addresses, and those without.", "Ask"),
    "stats": Listed("queries.stats", "Show what failed and who must act.", "Ask"),
    "top": Listed("queries.top", "Count failed messages by one value, most first.", "Ask"),
    "trend": Listed("queries.top", "Draw failed messages over time.", "Ask"),
    "answers": Listed("queries.answers", "Count what came of replies to senders.", "Ask"),
    "explain": Listed("explain", "Explain a code, a server response, or a message file.", "Ask"),
    "parse": Listed("parse", "Read message files and print what they report.", "Ask"),
    "dns": Listed("dns.dns", "Ask DNS about a domain, and what to publish.", "Ask"),
    "digest": Listed("digest", "Print the digest as it would be sent now.", "Ask"),
    "report": Listed("report", "Write a self-contained HTML report.", "Ask"),
    "incidents": Listed("incidents.incidents", "List, acknowledge and close incidents.", "Incidents"),
    "rules": Listed("rules", "List, check and try the detection rules.", "Incidents"),
    "outbox": Listed("outbox", "List, release or cancel messages; reset the breaker.", "Mail"),
    "unknown": Listed("learn.unknown", "List rejections that aren't understood, in groups.", "Learn"),
    "teach": Listed("learn.teach", "Teach the cause of a server response.", "Learn"),
    "reclassify": Listed("learn.reclassify", "Judge stored bounces again with the new catalogue.", "Learn"),
    "quarantine": Listed("quarantine", "List unreadable messages, and read them again.", "Mail"),
    "db": Listed("db", "Upgrade, back up, copy, check or purge the store.", "Care"),
    "privacy": Listed("privacy.export", "Export or forget one person's data.", "Care"),
}

MOVED = {
    "breaker": ("outbox", "breaker"),
    "purge": ("db", "purge"),
    "export": ("privacy", "export"),
    "forget": ("privacy", "forget"),
}
"""Former commands and where they went; they work until 1.0."""


class LazyGroup(TyperGroup):
    """Stands in for each command until it is called; help and completion need only names and sentences."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = {name: TyperCommand(name, help=listed.help) for name, listed in COMMANDS.items()}

    def load(self, name: str) -> None:
        """Import the module of a command and put the command itself in its place."""
        from bounce_watch.cli.common.plain_help import speak_plainly

        found = getattr(import_module(f"bounce_watch.cli.{COMMANDS[name].module}"), name)
        holder = typer.Typer(rich_markup_mode=None)
        if isinstance(found, typer.Typer):
            holder.add_typer(found, name=name)
        else:
            holder.command(name)(found)
        self.commands[name] = typer.main.get_group(holder).commands[name]
        speak_plainly(self.commands[name])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the command that is called, also by its former name."""
        if args[0] in MOVED:
            place = MOVED[args[0]]
            typer.echo(f"bounce-watch: {args[0]} is now: bounce-watch {' '.join(place)}", err=True)
            args = [*place, *args[1:]]
        if args[0] in COMMANDS:
            self.load(args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - as click calls it
        """List the commands in groups, each with its first sentence."""
        for group in dict.fromkeys(listed.group for listed in COMMANDS.values()):
            with formatter.section(group):
                formatter.write_dl(
                    [(name, listed.help) for name, listed in COMMANDS.items() if listed.group == group]
                )


app = typer.Typer(
    cls=LazyGroup,
    name="bounce-watch",
    help="Process bounces, find each problem's owner, and tell them exactly what to do.",
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
    utc: Annotated[
        bool, typer.Option("--utc", help="Show and read times in UTC, not in the site's time zone.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    # Late: `--help` needs no configuration.
    from bounce_watch.cli.common.when import show_times_of

    show_times_of(config, utc=utc)
    context.obj = config
