"""The command line, one file a command group. Modules load what they need only when called."""


def main() -> None:
    """Run the program."""
    raise SystemExit("bounce-watch: the command line is being built")
