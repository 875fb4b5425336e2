"""Search Sent Items for messages that we sent (RFC 3501 section 6.4.4, SEARCH HEADER).

Exchange Online stores a copy there of what is submitted over SMTP AUTH. The search uses our own
X-Bounce-Watch-ID only, never text of a message.
"""

import re
from collections.abc import Callable, Collection
from typing import Any

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.folders import Folders
from bounce_watch.source.imap.source import ImapSource
from bounce_watch.source.interface import SourceError

_OWN_ID = re.compile(r"bw\.[0-9a-f]{16}\.[0-9a-f]{24}")
HEADER = "X-Bounce-Watch-ID"


class SentItems:
    """The sent folder of the watched account. It may not hold everything that we sent."""

    is_complete = False

    def __init__(
        self, settings: ImapSettings, secret: Callable[[], str], folder: str, *, http_client: Any = None
    ) -> None:
        self.name = f"imap://{settings.owner}@{settings.host.lower()}/{folder}"
        self._account = ImapSource(settings, secret, http_client=http_client)
        self._folder = folder

    def find(self, bw_ids: Collection[str]) -> frozenset[str] | None:
        """Return those of our IDs that are in the folder, None if the search failed."""
        try:
            connection = Connection(self._account.settings)
        except SourceError:
            return None
        try:
            self._account.sign_in(connection)
            Folders(connection).open(self._folder, read_only=True)
            ours = filter(_OWN_ID.fullmatch, bw_ids)
            return frozenset(bw_id for bw_id in ours if connection.search("HEADER", HEADER, bw_id))
        except SourceError:
            return None
        finally:
            connection.close()
