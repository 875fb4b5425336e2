"""`incidents` and its subcommands, and how all of them take the number of an incident."""

from typing import Annotated

import typer

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="INC-7, or just 7.")]


def read_number(text: str) -> int:
    """Return the number that `INC-7` or `7` means. Raises BadParameter."""
    plain = text.upper().removeprefix("INC-")
    if not plain.isdigit():
        raise typer.BadParameter(f"{text!r} is no incident number; write INC-7 or 7")
    return int(plain)
