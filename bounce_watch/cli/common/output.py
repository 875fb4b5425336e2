"""Print what was asked for: a table for people, JSON lines or CSV for programs. Talk goes to stderr."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from bounce_watch.notifications.rendering.safe_text import for_cell, for_terminal

Row = Mapping[str, Any]
Cell = str | tuple[str, ...]
"""One line of text, or several."""


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def form_of(as_json: bool, as_csv: bool = False) -> Form:
    return Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table: `show` turns the row into the cell's text (default: the value itself).

    A column that `gives_way` folds where the screen is narrow, or is cut with an ellipsis if `cut`; the
    others then keep their width. Without one, all columns fold.
    """

    key: str
    title: str
    show: Callable[[Row], Cell] | None = None
    right: bool = False
    style: str | None = None
    gives_way: bool = False
    cut: bool = False

    def cell(self, row: Row) -> Cell:
        if self.show:
            return self.show(row)
        value = row.get(self.key)
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
    sys.stdout.write(json.dumps(value, ensure_ascii=True, default=plain) + "\n")


def plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def _emit_json(rows: Iterable[Row]) -> int:
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        emit_json(row)
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
    from rich import box
    from rich.table import Table

    if not rows:
        say(empty or "Nothing found.")
        return 0
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    rigid = any(column.gives_way for column in columns)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(
            column.title, justify=justify, overflow="fold", no_wrap=rigid and not column.gives_way
        )
    for row in rows:
        table.add_row(*(_text(column, row) for column in columns))
    console().print(table)
    return len(rows)


def _text(column: Column, row: Row) -> Any:
    """Return a cell as a Text, never as markup: a mail may hold [link=...]."""
    from rich.text import Text

    text = Text(_shown(column.cell(row)), style=column.style or "")
    if column.cut:
        text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _shown(cell: Cell) -> str:
    """Return a cell's text, each of its lines escaped: a break inside a value is no line of ours."""
    lines = (cell,) if isinstance(cell, str) else cell
    return "\n".join(for_terminal(line) for line in lines)


def console() -> Any:
    """Return the console on stdout."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def talk() -> Any:
    """Return the console on stderr, for progress and remarks."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print one remark for people on stderr."""
    sys.stderr.write(for_terminal(text) + "\n")


def local(moment: datetime | None) -> str:
    """Return a moment in this machine's time zone, to the minute."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""
