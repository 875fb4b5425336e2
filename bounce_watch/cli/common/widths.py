"""Widths of a table's columns on a narrow screen: long columns give way first, and no word is split.

rich shrinks columns without regard to words, and splits a word as soon as its column is narrower.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

SHORTEST = 20
"""To this width a column is cut that may end in an ellipsis, before others fold between words."""
_LEAST = 8


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
