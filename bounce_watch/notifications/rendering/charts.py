"""Counts as rows: bars of a table in HTML, aligned columns of at most 78 characters in text.

A change has a sign and a number, because color alone is not accessible.
"""

from collections.abc import Sequence

from bounce_watch.model import Count
from bounce_watch.notifications.rendering.labels import label_of
from bounce_watch.notifications.rendering.safe_text import plain
from bounce_watch.notifications.rendering.templates import Value
from bounce_watch.notifications.rendering.translator import Translator

MAX_ROWS = 10
TEXT_LABEL = 36
TEXT_BAR = 22


def change(count: Count) -> str:
    """Return the change, such as `▲ 9` or `▼ 4`, empty if there is nothing to compare with."""
    if count.before is None:
        return ""
    difference = count.now - count.before
    if difference == 0:
        return "="
    return f"{'▲' if difference > 0 else '▼'} {abs(difference)}"


def bars(counts: Sequence[Count], translator: Translator | None = None) -> list[dict[str, Value]]:
    """Return the rows of a bar chart; widths are percent of the largest number, at least 1 if above 0.

    Ones have no bars: they would all be of full length.

    `translator` replaces identifiers (causes, owners) by labels in its language.
    """
    shown = counts[:MAX_ROWS]
    largest = max((max(count.now, count.before or 0) for count in shown), default=0)
    return [
        {
            "label": plain(label_of(count.label, translator) if translator else count.label, 80) or "(empty)",
            "now": count.now,
            "change": change(count),
            "width": _share(count.now, largest),
            "before_width": _share(count.before or 0, largest),
        }
        for count in shown
    ]


def _share(number: int, largest: int) -> int:
    return max(1, round(100 * number / largest)) if number > 0 and largest > 1 else 0


def text_rows(counts: Sequence[Count], translator: Translator | None = None) -> list[str]:
    """Return the same chart as aligned lines; a long label has a line of its own."""
    lines: list[str] = []
    for row in bars(counts, translator):
        label = str(row["label"])
        if len(label) > TEXT_LABEL:
            lines.append(f"  {plain(label, 74)}")
            label = ""
        bar = "#" * round(TEXT_BAR * int(str(row["width"])) / 100)
        lines.append(f"  {label:<{TEXT_LABEL}} {row['now']:>5}  {row['change']:<7} {bar}".rstrip())
    return lines


def text_pairs(pairs: Sequence[tuple[str, int]]) -> list[str]:
    """Return lines of label and number, aligned like the charts."""
    return [f"  {plain(label, TEXT_LABEL):<{TEXT_LABEL}} {number:>5}" for label, number in pairs]
