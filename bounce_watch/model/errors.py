"""The base of faults that tell people how to fix them."""


class RepairableError(Exception):
    """A fault with `repair`, which says what to do, and `commands`, lines of PowerShell that do it."""

    def __init__(self, message: str, repair: str = "", commands: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.repair = repair
        self.commands = commands
