"""A pattern that begins at a line's start: found from line break to line break.

The standard `^` is tried at every letter of a text; a search that begins with a line break leaps.
"""

import re

from bounce_watch.unwrap.lazy import lazy


class Lined:
    """A pattern whose matches begin a line. It is written without `^`; `$` means the end of a line."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._pattern = pattern
        self._flags = flags | re.MULTILINE

    @lazy
    def _here(self) -> re.Pattern[str]:
        return re.compile(self._pattern, self._flags)

    @lazy
    def _after_break(self) -> re.Pattern[str]:
        return re.compile(rf"\n(?:{self._pattern})", self._flags)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match, None when no line begins like that."""
        if first := self._here.match(text):
            return first
        later = self._after_break.search(text)
        return self._here.match(text, later.start() + 1) if later else None
