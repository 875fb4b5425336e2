"""Messages to chat rooms and webhooks through Apprise, an optional extra."""

import logging

from bounce_watch.model.errors import RepairableError


class ChatUnavailable(RepairableError):
    """A room cannot be written to at all."""


class Room:
    """One room, by its URL, which never appears in a message or a log."""

    def __init__(self, url: str) -> None:
        try:
            import apprise
        except ImportError:
            raise ChatUnavailable(
                "chat targets need the library apprise", "pip install 'bounce-watch[chat]'"
            ) from None
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its warnings quote the URL
        self._apprise = apprise.Apprise()
        if not self._apprise.add(url):
            raise ChatUnavailable(
                "the URL is none that Apprise knows", "see its list of services for the form of the URL"
            )

    def say(self, title: str, text: str) -> bool:
        """Send plain text; tell whether the service accepted it."""
        return bool(self._apprise.notify(title=title, body=text, body_format="text"))
