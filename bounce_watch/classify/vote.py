"""One thing that speaks for a cause, and what it rests on."""

from enum import IntEnum
from typing import NamedTuple

from bounce_watch.classify.catalogue.row import Row
from bounce_watch.classify.words.statements import Said
from bounce_watch.model import Cause

MAX_QUOTE = 60


class Ground(IntEnum):
    """What a vote rests on: smaller is closer to the server's own words."""

    CODE_AND_TEXT = 1
    CODE = 2
    TEXT = 3
    GENERIC_CODE = 4
    GROUP = 5
    REPLY_CODE = 6


class Vote(NamedTuple):
    """One thing that speaks for a cause. `row` is None for words that no row holds.

    `is_bare`: a code that this server uses for anything. `is_certain`: a code with one meaning only, which
    words beside it don't weaken.
    """

    cause: Cause
    weight: float
    ground: Ground
    row: Row | None = None
    phrase: str | Said | None = None
    is_bare: bool = False
    is_certain: bool = False

    @property
    def is_words(self) -> bool:
        """Tell whether the vote rests on words of a server."""
        # Not a set of grounds: an enumeration's hash costs more than the rest of a vote.
        return self.ground is Ground.TEXT or self.ground is Ground.CODE_AND_TEXT

    @property
    def told(self) -> str:
        """The vote in words: its weight, and the words or the code that it rests on."""
        return f'{self.weight:.1f} "{self.quote}"' if self.is_words else f"{self.weight:.1f} the code"

    @property
    def quote(self) -> str:
        """The words of the vote as they are shown: printable and short."""
        words = str(self.phrase or "")
        if words.isprintable():
            return words[:MAX_QUOTE]
        return "".join(character for character in words if character.isprintable())[:MAX_QUOTE]
