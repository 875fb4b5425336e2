"""One line of `bounce-watch check`."""

from typing import Literal, NamedTuple


class Check(NamedTuple):
    """The result of testing one part of the setup. `repair` says what to do, if anything.

    `commands` are lines of PowerShell to paste, with the site's values quoted.
    """

    name: str
    state: Literal["ok", "warning", "failure"]
    text: str
    repair: str = ""
    commands: tuple[str, ...] = ()
