"""Make the sources and senders that the configuration names."""

from bounce_watch.config.accounts import FolderSettings, Login, SourceSettings
from bounce_watch.config.models import Config
from bounce_watch.config.secrets import login_secret
from bounce_watch.send import FolderSender, open_sender
from bounce_watch.send.interface import Sender, SentLookup
from bounce_watch.source import open_source
from bounce_watch.source.interface import Source


def source_of(settings: SourceSettings) -> Source:
    """Return the source of one mailbox, not yet entered. Its secret is read when it signs in."""
    return open_source(
        settings, lambda: login_secret(settings, "imap") if isinstance(settings, Login) else ""
    )


def source_names(config: Config) -> dict[str, str]:
    """Return the name of each configured source by its label."""
    return {settings.label: source_of(settings).name for settings in config.source}


def sender_of(config: Config) -> Sender:
    """Return the configured sender, not yet entered. Its secret is read when it signs in."""
    settings = config.send
    return open_sender(
        settings,
        lambda: login_secret(settings, "smtp") if isinstance(settings, Login) else "",
        config.reply.from_address,
    )


def sent_lookup_of(config: Config) -> SentLookup | None:
    """Return what can tell whether a message was sent, None when nothing can."""
    send, account = config.send, config.sent_account
    if isinstance(send, FolderSettings):
        return FolderSender(send.path)
    if send.probe == "none" or account is None:
        return None
    # Imported late: imapclient is not needed for a Maildir.
    from bounce_watch.source.imap.sent_items import SentItems

    return SentItems(account, lambda: login_secret(account, "imap"), send.sent_folder)
