"""`parse` reads mails without storing anything, `explain` says what a code or a reply means."""

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bounce_watch.cli.status import Exit

if TYPE_CHECKING:
    from bounce_watch.classify import Explanation
    from bounce_watch.source import Message

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Files, Maildirs, mboxes or folders; - is standard input."),
]


def register(app: typer.Typer) -> None:
    app.command()(parse)
    app.command()(explain)


def parse(
    paths: Paths,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, one for each report.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="One bounce a line, safe for spreadsheets.")] = False,
) -> None:
    """Read mails and print what they report. Nothing is stored or moved."""
    from bounce_watch.cli.output import emit, form_of

    objects = read_paths(paths)
    count = errors = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal count, errors
        for item in objects:
            count += 1
            errors += item["kind"] == "unreadable"
            yield item

    if as_json:
        emit(counted(), (), form_of(as_json=True))
    else:
        rows = [row for item in counted() for row in _rows(item)]
        emit(rows, _columns(), form_of(as_json=False, as_csv=as_csv), empty="Nothing to read there.")
    if count and errors == count:
        raise typer.Exit(Exit.FAILED)


def read_paths(paths: list[Path]) -> Iterator[dict[str, Any]]:
    """Yield one JSON object for each report in the paths."""
    from bounce_watch.classify import judge, load_catalogue
    from bounce_watch.cli.reading_json import as_json, unreadable_json
    from bounce_watch.model import Report
    from bounce_watch.parse import read
    from bounce_watch.resources import data_file
    from bounce_watch.source import SourceError, open_path

    catalogue = load_catalogue(data_file("codes.toml").read_text(encoding="utf-8"))
    for path in paths:
        try:
            with open_path(path) as source:
                for name, message in _named(path, source.messages()):
                    for reading in read(message.raw):
                        bounces = judge(reading, catalogue, None) if isinstance(reading, Report) else ()
                        yield as_json(name, reading, bounces, None)
        except (SourceError, OSError) as error:
            yield unreadable_json(str(path), str(error))


def _named(path: Path, messages: Iterator["Message"]) -> Iterator[tuple[str, "Message"]]:
    """Name each message: the path for a file with one, else its place in the folder or mbox."""
    if path.is_dir():
        yield from ((str(path / message.locator.uid), message) for message in messages)
        return
    first, second = next(messages, None), next(messages, None)
    if first is not None and second is None:
        yield str(path), first
        return
    rest = (message for message in (first, second) if message is not None)
    for number, message in enumerate(chain(rest, messages), 1):
        yield f"{path}#{number}", message


def _rows(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Flatten one object for people: a row for each bounce, or one that says why there is none."""
    head = {"path": item["path"], "kind": item["kind"]}
    keys = ("recipient", "sender", "status", "reply_code", "cause", "owner", "side")
    if not item["bounces"]:
        return [{**head, **dict.fromkeys(keys), "note": item["error"]}]
    return [
        {**head, **{key: bounce[key] for key in keys}, "note": bounce["diagnostic_code"]}
        for bounce in item["bounces"]
    ]


def _columns() -> list[Any]:
    from bounce_watch.cli.output import Column

    return [
        Column(key="path", title="File", show=lambda row: Path(row["path"]).name),
        Column(key="kind", title="Kind"),
        Column(key="recipient", title="Recipient"),
        Column(key="status", title="Code", show=lambda row: row["status"] or row["reply_code"] or ""),
        Column(key="cause", title="Cause"),
        Column(key="owner", title="Who must act"),
        Column(key="note", title="What the server said", show=lambda row: (row["note"] or "")[:80]),
    ]


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
