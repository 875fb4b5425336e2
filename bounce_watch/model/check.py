"""One line of `bounce-watch check`."""

from typing import Literal, NamedTuple


class Check(NamedTuple):
    """What a part of the set-up is like. `repair` says what to do, empty when nothing is needed.

    `commands` are lines of PowerShell to paste, with the site's values quoted.
    """

    name: str
    state: Literal["ok", "warning", "failure"]
    text: str
    repair: str = ""
    commands: tuple[str, ...] = ()
