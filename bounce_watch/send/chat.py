"""Messages to chat rooms and webhooks through Apprise; an extra, since most sites have mail alone."""

import logging


class ChatUnavailable(Exception):
    """A room cannot be written to at all. `repair` says what to do."""

    def __init__(self, message: str, repair: str) -> None:
        super().__init__(message)
        self.repair = repair


class Room:
    """One room, made from its URL. The URL never appears in a message or a log."""

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
        """Send plain text; tell whether the service took it."""
        return bool(self._apprise.notify(title=title, body=text, body_format="text"))
