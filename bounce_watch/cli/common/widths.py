"""Text on a narrow screen: lines break between words, and a table's long columns give way first.

rich shrinks columns without regard to words, and splits a word as soon as its column is narrower.
"""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

SHORTEST = 20
"""To this width a column is cut that may end in an ellipsis, before others fold between words."""
_LEAST = 8
_COMMAND = re.compile(r" *[A-Z][a-z]+-[A-Z]\w+( |$)")
"""A line with a PowerShell command, which is pasted: a break in it would run the half of it."""
_LEAD = re.compile(r" *(?:\d+\. +|- +|(?:(?! )(?:(?!  ).){1,30} {2,}){0,2})")
"""What the following rows are indented by: spaces, a number, a dash, or one or two labels and their gaps."""


@dataclass(slots=True)
class Width:
    """The width of one column. `floor`: its longest word, below which a word would be split."""

    now: int
    floor: int
    flexible: bool


def width_of(texts: Sequence[str], *, flexible: bool, truncate: bool) -> Width:
    """Return the width that the texts of a column, its title among them, take without a fold."""
    lines = [line for text in texts for line in text.split("\n")]
    widest = max(map(cell_len, lines), default=0)
    floor = max((cell_len(word) for line in lines for word in line.split()), default=0)
    return Width(widest, min(SHORTEST, widest) if truncate else floor, flexible)


def fitted(columns: Sequence[Width], room: int) -> list[int]:
    """Return widths that fit into the room: flexible columns fold first, then all, then long words break."""
    flexible = [column for column in columns if column.flexible]
    for giving in (flexible, columns):
        _take(sum(column.now for column in columns) - room, giving)
    for column in columns:
        column.floor = min(column.floor, _LEAST)
    for giving in (flexible, columns):
        _take(sum(column.now for column in columns) - room, giving)
    return [column.now for column in columns]


def _take(excess: int, giving: Sequence[Width]) -> None:
    """Take from the widest column that can still give, again and again."""
    for _ in range(excess):
        widest = max((one for one in giving if one.now > one.floor), key=lambda one: one.now, default=None)
        if widest is None:
            return
        widest.now -= 1


def wrapped(line: str, width: int) -> list[str]:
    """Return a line as rows no wider than `width`, broken between words; a longer word stays whole."""
    lead = _LEAD.match(line)
    indent = " " * (lead.end() if lead and lead.end() <= width // 2 else 0)
    if len(line) <= width or _COMMAND.match(line):
        return [line]
    text = textwrap.TextWrapper(width, subsequent_indent=indent, break_long_words=False)
    text.break_on_hyphens = text.replace_whitespace = text.expand_tabs = False
    return text.wrap(line)
