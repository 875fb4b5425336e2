"""`explain`: what a code or a reply means, how a file was read, why a stored bounce was judged so."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bounce_watch.cli.status import Exit

if TYPE_CHECKING:
    from bounce_watch.classify import Explanation


def register(app: typer.Typer) -> None:
    app.command()(explain)


def explain(
    what: Annotated[
        list[str], typer.Argument(metavar="CODE | REPLY", help="A code (5.7.23) or a pasted reply.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Say what a status code or a server's reply means, who must act and what to do."""
    from dataclasses import asdict

    from bounce_watch.classify import explain as explain_code
    from bounce_watch.classify import load_catalogue
    from bounce_watch.cli.output import emit_json, say
    from bounce_watch.resources import data_file

    catalogue = load_catalogue(data_file("codes.toml").read_text(encoding="utf-8"))
    found = explain_code(catalogue, " ".join(what))
    if not found:
        say(f"Nothing is known of {' '.join(what)!r}. Give a code (5.7.23), or paste the server's reply.")
        raise typer.Exit(Exit.FAILED)
    for explanation in found:
        if as_json:
            emit_json(asdict(explanation))
        else:
            sys.stdout.write(_for_people(explanation))


def _for_people(explanation: "Explanation") -> str:
    """Return one meaning as lines: what it is, who must act, what each does, where it is from."""
    from bounce_watch.cli.safe import for_terminal
    from bounce_watch.reply.words import CAUSES, OWNERS

    lines = [
        f"{explanation.name}: {explanation.title}",
        f"  {explanation.meaning}",
        f"  Cause: {CAUSES[explanation.cause]}. Who must act: {OWNERS[explanation.owner]}.",
        f"  Chosen because: {explanation.why}.",
    ]
    if explanation.owner_ours is not explanation.owner:
        lines.append(f"  When our own servers say it: {OWNERS[explanation.owner_ours]}.")
    for title, steps in (
        ("The sender", explanation.sender_steps),
        ("The mail admin", explanation.admin_steps),
    ):
        lines += (
            [f"  {title}:", *(f"    {place}. {step}" for place, step in enumerate(steps, 1))] if steps else []
        )
    lines.append(f"  Source: {explanation.source} (checked {explanation.checked:%Y-%m-%d})")
    return "".join(for_terminal(line) + "\n" for line in [*lines, ""])
