"""Exit statuses (of sysexits.h where they fit), and the message about an expected error."""

import sys
from collections.abc import Iterable
from enum import IntEnum

from bounce_watch.notifications.rendering.safe_text import for_terminal


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 69
    TRY_LATER = 75
    REFUSED = 77
    CONFIGURATION = 78


def status_of(error: Exception) -> Exit | None:
    """Return the exit status of an expected error, None for a bug."""
    # Late: most commands need `Exit` only, and an error is rare.
    from bounce_watch.config.load import ConfigError
    from bounce_watch.config.secrets import SecretError
    from bounce_watch.sandbox.outcome import ReaderUnavailable
    from bounce_watch.source import interface as source
    from bounce_watch.store import StoreError, StoreNotWritable, StoreRefused, StoreTemporary

    table: tuple[tuple[type[Exception], Exit], ...] = (
        (ConfigError, Exit.CONFIGURATION),
        (SecretError, Exit.CONFIGURATION),
        (source.MissingFolder, Exit.CONFIGURATION),
        (source.Refused, Exit.REFUSED),
        (source.SourceError, Exit.UNAVAILABLE),
        (StoreRefused, Exit.REFUSED),
        (StoreTemporary, Exit.TRY_LATER),
        (ReaderUnavailable, Exit.TRY_LATER),
        (StoreNotWritable, Exit.REFUSED),
        (StoreError, Exit.FAILED),
        (PermissionError, Exit.REFUSED),
        (OSError, Exit.FAILED),
    )
    return next((status for kind, status in table if isinstance(error, kind)), None)


def report(error: Exception, status: Exit) -> None:
    """Print what failed and what repairs it, and exit."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename or 'output'}: {error.strerror}"
    for line in text.splitlines() or [type(error).__name__]:
        sys.stderr.write(f"bounce-watch: {for_terminal(line)}\n")
    say_repair(getattr(error, "repair", ""), getattr(error, "commands", ()))
    sys.stderr.flush()
    raise SystemExit(int(status))


def say_repair(repair: str, commands: Iterable[str]) -> None:
    """Print what repairs an error; each command on an unbroken line, to be pasted."""
    if repair:
        sys.stderr.write(f"  to repair: {for_terminal(repair)}\n")
    for number, command in enumerate(commands):
        if not number:
            sys.stderr.write("  in PowerShell, connected to Exchange Online:\n")
        sys.stderr.write(f"    {for_terminal(command)}\n")
