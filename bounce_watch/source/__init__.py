"""Where mail comes from. `open_source` follows the configuration, `open_path` looks at what lies there."""

from collections.abc import Callable

from bounce_watch.config.models import ImapSettings
from bounce_watch.source.interface import (
    MAX_MESSAGE,
    Check,
    Locator,
    Message,
    MissingFolder,
    Refused,
    Source,
    SourceError,
    Unreachable,
)

__all__ = [
    "MAX_MESSAGE",
    "Check",
    "Locator",
    "Message",
    "MissingFolder",
    "Refused",
    "Source",
    "SourceError",
    "Unreachable",
    "open_source",
]


def open_source(settings: ImapSettings, secret: Callable[[], str]) -> Source:
    """Return the configured source, not yet entered. `secret` returns the password or client secret."""
    # Imported late: imapclient is not needed for --help.
    from bounce_watch.source.imap import ImapSource

    return ImapSource(settings, secret)
