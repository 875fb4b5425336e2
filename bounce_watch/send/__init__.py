"""How messages leave. `open_sender` opens what the configuration names."""

from collections.abc import Callable

from bounce_watch.config.accounts import FolderSettings, SmtpSettings
from bounce_watch.send.folder import FolderSender
from bounce_watch.send.interface import Delivery, Outcome, Sender


def open_sender(
    settings: SmtpSettings | FolderSettings, secret: Callable[[], str], from_address: str
) -> Sender:
    """Return the configured sender. `secret` returns the password or client secret."""
    if isinstance(settings, FolderSettings):
        return FolderSender(settings.path)
    # Imported late: smtplib is not needed for --help.
    from bounce_watch.send.smtp.sender import SmtpSender

    return SmtpSender(settings, secret, from_address)
