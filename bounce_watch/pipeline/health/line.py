"""One line of the judgement of health."""

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """Severity of a line; the values are the exit statuses of Nagios plugins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One part of the service.

    `figure` is a number to draw, None for none; seconds where it is a time.
    `digest` is the name and the text of the line in a digest, which is read later; None: not shown there.
    """

    name: str
    level: Level
    text: str
    figure: float | None = None
    digest: tuple[str, str] | None = None


def ago(seconds: float) -> str:
    """Return a length of time in its largest fitting unit."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} seconds"
