"""Print results to stdout as a table, JSON lines or CSV, and remarks to stderr."""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TextIO

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bounce_watch.cli.common.when import shown_zone
from bounce_watch.cli.common.widths import fitted, width_of, wrapped
from bounce_watch.model.check import Check
from bounce_watch.notifications.rendering.local_time import stamp
from bounce_watch.notifications.rendering.safe_text import for_cell, for_terminal

Row = Mapping[str, Any]
Cell = str | tuple[str, ...]
"""One line of text, or several."""
_CHECK_SIGNS = {"ok": "ok", "warning": "WARN", "failure": "FAIL"}


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def picked(value: object, names: str) -> dict[str, Any]:
    """Return these attributes of a value by their names; `to=recipient` gives one another name."""
    pairs = (name.partition("=") for name in names.split())
    return {key: getattr(value, attribute or key) for key, _, attribute in pairs}


def form_of(as_json: bool, as_csv: bool = False) -> Form:
    return Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: `show` returns the cell's text of a row (default: the value, a time as `local`).

    On a narrow screen a `flexible` column folds first, between words, or ends in an ellipsis if `truncate`.
    """

    key: str
    title: str
    show: Callable[[Row], Cell] | None = None
    right: bool = False
    style: str | None = None
    flexible: bool = False
    truncate: bool = False

    def cell(self, row: Row) -> Cell:
        if self.show:
            return self.show(row)
        value = row.get(self.key)
        if isinstance(value, datetime):
            return local(value)
        return "" if value is None else str(value)


def emit(
    rows: Iterable[Row], columns: Sequence[Column], form: Form, *, title: str = "", empty: str = ""
) -> int:
    """Print rows and return how many there were."""
    match form:
        case Form.JSON:
            return _emit_json(rows)
        case Form.CSV:
            return _emit_csv(rows)
        case Form.TABLE:
            return _emit_table(list(rows), columns, title, empty)


def emit_json(value: Any) -> None:
    """Print one JSON object on a line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, default=json_default) + "\n")


def json_default(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def _emit_json(rows: Iterable[Row]) -> int:
    count = 0
    for row in rows:
        emit_json(row)
        count += 1
    return count


def _emit_csv(rows: Iterable[Row]) -> int:
    count, writer = 0, csv.writer(sys.stdout, quoting=csv.QUOTE_ALL)
    for count, row in enumerate(rows, 1):
        if count == 1:
            writer.writerow(row.keys())
        writer.writerow([for_cell(_cell(value)) for value in row.values()])
    return count


def _cell(value: object) -> object:
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value)
    return value.isoformat() if isinstance(value, datetime) else value


def _emit_table(rows: list[Row], columns: Sequence[Column], title: str, empty: str) -> int:
    if not rows:
        say(empty or "Nothing found.")
        return 0
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    cells = [[_shown(column.cell(row)) for column in columns] for row in rows]
    widths = [
        width_of([column.title, *texts], flexible=column.flexible, truncate=column.truncate)
        for column, texts in zip(columns, zip(*cells, strict=True), strict=True)
    ]
    room = console().width - 3 * len(columns) + 1
    for column, width in zip(columns, fitted(widths, room), strict=True):
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(column.title, justify=justify, overflow="fold", width=width)
    for texts in cells:
        table.add_row(*(_text(column, text) for column, text in zip(columns, texts, strict=True)))
    console().print(table)
    return len(rows)


def _text(column: Column, shown: str) -> Text:
    """Return a cell as a Text, never as markup: a message may hold [link=...]."""
    text = Text(shown, style=column.style or "")
    if column.truncate:
        text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _shown(cell: Cell) -> str:
    """Return a cell's text. Each line is escaped, also line breaks in it: only a tuple makes lines."""
    lines = (cell,) if isinstance(cell, str) else cell
    return "\n".join(for_terminal(line) for line in lines)


def console() -> Console:
    """Return the console on stdout."""
    return Console(highlight=False, soft_wrap=False)


def talk() -> Console:
    """Return the console on stderr."""
    return Console(stderr=True, highlight=False)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines to be copied or piped on stdout, each escaped and as long as it is."""
    sys.stdout.writelines(f"{for_terminal(line)}\n" for line in lines)


def print_prose(lines: Iterable[str]) -> None:
    """Print lines to be read on stdout, each escaped; on a terminal they are wrapped between words."""
    sys.stdout.writelines(f"{row}\n" for line in lines for row in _rows_of(line, sys.stdout))


def _rows_of(line: str, stream: TextIO) -> list[str]:
    """Return an escaped line as rows of the terminal. In a pipe it stays one line, for grep."""
    shown = for_terminal(line)
    is_read = stream.isatty() or "COLUMNS" in os.environ
    return wrapped(shown, console().width) if is_read else [shown]


def aligned(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return a line per label and text, with the texts below each other."""
    width = max((len(label) for label, _ in pairs), default=0)
    return [f"{label:<{width}}  {text}".rstrip() for label, text in pairs]


def say(text: str) -> None:
    """Print one remark for people on stderr."""
    sys.stderr.writelines(f"{row}\n" for row in _rows_of(text, sys.stderr))


def confirm(question: str, param_hint: str) -> None:
    """Ask before something is deleted. Raises BadParameter without a terminal, Abort for no."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("no terminal for a prompt; add --yes", param_hint=param_hint)
    typer.confirm(question, abort=True, err=True)


def two_lines(moment: datetime | None) -> Cell:
    """Return the site's date above its time."""
    return tuple(local(moment).split(" ", 1))


def local(moment: datetime | None) -> str:
    """Return a moment in the site's time zone, which it names, to the minute."""
    return stamp(moment, shown_zone()) if moment else ""


def print_checks(checks: Iterable[Check], *, as_json: bool) -> None:
    """Print checks, each with what repairs it."""
    rows = [one._asdict() for one in checks]
    columns = [
        Column("state", "", show=lambda row: _CHECK_SIGNS[row["state"]]),
        Column("name", "Part"),
        Column(
            "text",
            "Result and fix",
            show=lambda row: (row["text"], f"-> {row['repair']}") if row["repair"] else row["text"],
        ),
    ]
    emit(rows, columns, form_of(as_json))
    # A cell would break the commands into lines, and they would be pasted so: they come below the table.
    for row in rows:
        if row["commands"] and not as_json:
            head = f"To repair {for_terminal(row['name'])}, in PowerShell connected to Exchange Online:"
            commands = "\n".join(f"    {for_terminal(command)}" for command in row["commands"])
            sys.stdout.write(f"\n{head}\n\n{commands}\n")
