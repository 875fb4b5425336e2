"""A pattern that begins at a line's start: found from line break to line break.

The standard `^` is tried at every letter of a text; a search that begins with a line break leaps.
"""

import re


class Lined:
    """A pattern whose matches begin a line. It is written without `^`; `$` means the end of a line."""

    __slots__ = ("_after_break", "_here")

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._here = re.compile(pattern, flags | re.MULTILINE)
        self._after_break = re.compile(rf"\n(?:{pattern})", flags | re.MULTILINE)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match, None when no line begins like that."""
        if first := self._here.match(text):
            return first
        later = self._after_break.search(text)
        return self._here.match(text, later.start() + 1) if later else None
