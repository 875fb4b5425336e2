"""`parse`: read messages on all cores without storing anything."""

import json
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from bounce_watch.cli.common.exit_status import Exit
from bounce_watch.cli.common.logs import set_up_logs
from bounce_watch.cli.common.output import Column, emit, form_of
from bounce_watch.cli.common.progress import counting
from bounce_watch.cli.common.words import cause_words, owner_words
from bounce_watch.sandbox.frames import ReadRequest
from bounce_watch.sandbox.jobs import Job, line_of
from bounce_watch.sandbox.json_output import unreadable_object
from bounce_watch.sandbox.outcome import Overrun
from bounce_watch.sandbox.pool import cores, in_order
from bounce_watch.source import Message, SourceError, open_path

Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Processes that read at a time (default: all cores)."),
]
# In JSON this can only be the key itself: quotation marks in values are escaped.
_UNREADABLE = b'"kind": "unreadable"'
_KEYS = ("recipient", "sender", "action", "status", "reply_code", "cause", "owner", "side")
_COLUMNS = (
    Column("path", "File\nKind", show=lambda row: (Path(row["path"]).name, row["kind"].replace("_", " "))),
    Column(
        "recipient",
        "Recipient\nServer response",
        show=lambda row: (row["recipient"] or "", (row["note"] or "")[:80]),
        flexible=True,
        truncate=True,
    ),
    Column("status", "Code", show=lambda row: row["status"] or row["reply_code"] or ""),
    Column("cause", "Cause\nOwner", show=lambda row: (cause_words(row), owner_words(row))),
)


@dataclass(slots=True)
class _Tally:
    """Number of lines printed, and of those about a message that could not be read."""

    lines: int = 0
    unreadable: int = 0

    def counted(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            self.lines += 1
            self.unreadable += _UNREADABLE in line
            yield line


def parse(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Files, Maildirs, mboxes or folders; - is standard input."),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, one for each report.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="One bounce a line, safe for spreadsheets.")] = False,
    jobs: Jobs = None,
) -> None:
    """Read message files and print what they report.

    Nothing is stored or moved.
    """
    set_up_logs("text")
    tally = _Tally()
    with (
        counting("Reading", None, silent=sys.stdout.isatty() and (as_json or as_csv)) as step,
        closing(_read_paths(paths, jobs or cores(), step)) as found,
    ):
        lines = tally.counted(found)
        if as_json:
            sys.stdout.writelines(line.decode("ascii") for line in lines)
        else:
            rows = (row for line in lines for row in _rows(json.loads(line)))
            emit(rows, _COLUMNS, form_of(as_json=False, as_csv=as_csv), empty="Nothing to read there.")
    if tally.lines and tally.unreadable == tally.lines:
        raise typer.Exit(Exit.FAILED)


@dataclass(frozen=True, slots=True)
class _Found:
    """A message in a path, or the line of JSON that says why one could not be opened."""

    request: ReadRequest
    line: bytes | None = None


def _read_paths(paths: list[Path], jobs: int, step: Callable[[], None]) -> Generator[bytes, None, None]:
    """Yield the lines of JSON for each report in the paths, in the order of the messages."""
    found = (one for path in paths for one in _look(path))
    with closing(in_order(found, lambda one: one.request, Job.LINES, jobs=jobs)) as answers:
        for one, answer in answers:
            step()
            if one.line:
                yield one.line
            elif isinstance(answer, Overrun):
                yield line_of(unreadable_object(one.request.name, answer.reason))
            else:
                yield from answer.splitlines(keepends=True)


def _look(path: Path) -> Iterator[_Found]:
    """Yield the messages in one path, then what could not be opened there."""
    try:
        with open_path(path) as source:
            for name, message in _named(path, source.messages()):
                yield _Found(ReadRequest(name, message.raw))
            for name, reason in source.skipped:
                file = path / name if path.is_dir() else path
                yield _unreadable(str(file), f"it cannot be opened: {reason}")
    except (SourceError, OSError) as error:
        yield _unreadable(str(path), str(error))


def _unreadable(name: str, error: str) -> _Found:
    return _Found(ReadRequest(name, b""), line_of(unreadable_object(name, error)))


def _named(path: Path, messages: Iterator[Message]) -> Iterator[tuple[str, Message]]:
    """Name each message: the path for a file with one, else its place in the folder or mbox."""
    if path.is_dir():
        yield from ((str(path / message.location.uid), message) for message in messages)
        return
    first, second = next(messages, None), next(messages, None)
    if first is not None and second is None:
        yield str(path), first
        return
    rest = (message for message in (first, second) if message is not None)
    for number, message in enumerate(chain(rest, messages), 1):
        yield f"{path}#{number}", message


def _rows(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each bounce in an object, or one that says why there is none."""
    head = {"path": item["path"], "kind": item["kind"]}
    if not item["bounces"]:
        return [{**head, **dict.fromkeys(_KEYS), "note": item["error"]}]
    return [
        {**head, **{key: bounce[key] for key in _KEYS}, "note": bounce["diagnostic_code"]}
        for bounce in item["bounces"]
    ]
