"""Make the sources and senders that the configuration names."""

from collections.abc import Callable

from bounce_watch.config.accounts import FolderSettings, Login, SendSettings, SourceSettings
from bounce_watch.config.models import Config
from bounce_watch.config.secrets import login_lookup
from bounce_watch.send import FolderSender, open_sender
from bounce_watch.send.interface import Sender, SentLookup
from bounce_watch.source import open_source
from bounce_watch.source.interface import Source


def source_of(settings: SourceSettings) -> Source:
    """Return the source of one mailbox, not yet entered. Its secret is read when it signs in."""
    return open_source(settings, _secret_of(settings, "imap"))


def _secret_of(settings: SourceSettings | SendSettings, prefix: str) -> Callable[[], str]:
    return login_lookup(settings, prefix).read if isinstance(settings, Login) else lambda: ""


def source_names(config: Config) -> dict[str, str]:
    return {settings.label: source_of(settings).name for settings in config.source}


def sender_of(config: Config) -> Sender:
    """Return the configured sender, not yet entered. Its secret is read when it signs in."""
    return open_sender(config.send, _secret_of(config.send, "smtp"), config.reply.from_address)


def sent_lookup_of(config: Config) -> SentLookup | None:
    """Return what can tell whether a message was sent, None when nothing can."""
    send, account = config.send, config.sent_account
    if isinstance(send, FolderSettings):
        return FolderSender(send.path)
    if send.probe == "none" or account is None:
        return None
    # Imported late: imapclient is not needed for a Maildir.
    from bounce_watch.source.imap.sent_items import SentItems

    return SentItems(account, login_lookup(account, "imap").read, send.sent_folder)
