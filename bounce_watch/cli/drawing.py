"""Bars and lines of block characters, for tables in a terminal."""

from collections.abc import Sequence

_EIGHTHS = "▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"


def bar(value: int, most: int, width: int = 24) -> str:
    """Return a bar of at most `width` characters, exact to an eighth; something is never drawn as nothing."""
    if value <= 0 or most <= 0:
        return ""
    eighths = max(1, round(value * width * 8 / most))
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")


def line(values: Sequence[int]) -> str:
    """Return one character a value: a space for none, else its height among the others."""
    most = max(values, default=0)
    return "".join(_LEVELS[-(-value * 8 // most) - 1] if value > 0 else " " for value in values)


def change(now: int, before: int) -> str:
    """Say how a figure differs from the one of the time before."""
    if now == before:
        return "as before"
    if before == 0:
        return "new"
    percent = round(100 * abs(now - before) / before)
    return f"{percent} % {'more' if now > before else 'less'}" if percent else "as before"
