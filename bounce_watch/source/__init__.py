"""Where messages come from. `open_source` opens what the configuration names, `open_path` any path."""

from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from bounce_watch.config.accounts import FilesSettings, ImapSettings, MaildirSettings, MboxSettings
from bounce_watch.source.interface import (
    MAX_MESSAGE,
    Message,
    MissingFolder,
    Refused,
    Source,
    SourceError,
    Unreachable,
)
from bounce_watch.source.local.files import FilesSource, StandardInput
from bounce_watch.source.local.maildir import MaildirSource
from bounce_watch.source.local.mbox import MboxSource, is_from_line

_LONGEST_FROM_LINE = 2048


def open_source(
    settings: ImapSettings | MaildirSettings | MboxSettings | FilesSettings, secret: Callable[[], str]
) -> Source:
    """Return the configured source, not yet entered. `secret` returns the password or client secret."""
    match settings:
        case ImapSettings():
            # Imported late: imapclient is not needed for --help.
            from bounce_watch.source.imap.source import ImapSource

            return ImapSource(settings, secret)
        case MaildirSettings():
            return MaildirSource(
                settings.path,
                filed_folder=settings.filed_folder,
                quarantine_folder=settings.quarantine_folder,
            )
        case MboxSettings():
            return MboxSource(settings.path)
        case FilesSettings():
            return FilesSource(settings.path)
        case _:
            assert_never(settings)


def open_path(path: Path) -> Source:
    """Return a source for a path: a Maildir, a folder, an mbox or one message; `-` is standard input.

    Nothing is moved. Entering the source raises MissingFolder if the path does not exist.
    """
    if str(path) == "-":
        return StandardInput()
    if path.is_dir():
        return MaildirSource(path) if _is_maildir(path) else FilesSource(path)
    return MboxSource(path) if _is_mbox(path) else FilesSource(path)


def _is_maildir(path: Path) -> bool:
    return all((path / name).is_dir() for name in ("cur", "new"))


def _is_mbox(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return is_from_line(stream.readline(_LONGEST_FROM_LINE))
    except OSError:
        return False
