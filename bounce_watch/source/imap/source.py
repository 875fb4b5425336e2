"""A mailbox over IMAP (RFC 3501): read by UID, moved by UID MOVE (RFC 6851). Flags are not used as state."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.model.check import Check
from bounce_watch.model.message_location import MessageLocation
from bounce_watch.net.oauth import TokenRefused, TokenUnavailable, tokens_for
from bounce_watch.source.imap.connection import Connection
from bounce_watch.source.imap.diagnose import diagnose
from bounce_watch.source.imap.errors import Busy, CommandRejected, read_only
from bounce_watch.source.imap.folders import Folders
from bounce_watch.source.imap.idle import wait_for_mail
from bounce_watch.source.imap.messages import PartialFetch, fetch_whole
from bounce_watch.source.imap.moving import move
from bounce_watch.source.imap.responses import Opened
from bounce_watch.source.imap.unfetched import Losses, Unfetched
from bounce_watch.source.imap.windows import list_windows, with_uid_next
from bounce_watch.source.interface import (
    Message,
    Refused,
    SessionEnded,
    Unreachable,
    Wanted,
    everything,
    never,
)

T = TypeVar("T")
_OVERLAP = 50
"""UIDs listed again: some servers announce a UID before the message is visible."""
_SHORT_SECONDS = 10.0
"""A connection lost sooner is a fault, so that we do not sign in endlessly to a server that hangs up."""


class ImapSource:
    """The watched folder of one account. It keeps one connection and reopens a lost one once per call.

    `secret` returns the password, or XOAUTH2's client secret; `http_client` is a requests session for tokens.
    """

    def __init__(self, settings: ImapSettings, secret: Callable[[], str], *, http_client: Any = None) -> None:
        self.name = f"imap://{settings.owner}@{settings.host.lower()}/{settings.folder}"
        self.settings = settings
        self._secret = secret
        self._tokens = tokens_for(settings, secret, http_client)
        self.reached: MessageLocation | None = None
        self._unfetched = Unfetched()
        self._partial_fetch = PartialFetch(wished=settings.peek)
        self._connection: Connection | None = None
        self._folders: Folders | None = None
        self._opened: Opened | None = None

    @property
    def skipped(self) -> list[tuple[str, str]]:
        return self._unfetched.known

    def __enter__(self) -> "ImapSource":
        self._connect()
        return self

    def __exit__(self, *exc: object) -> None:
        self._disconnect()

    def sign_in(self, connection: Connection) -> None:
        """Sign in on a new connection. Raises Refused and Unreachable."""
        if self._tokens is None:
            return connection.sign_in(self._secret())
        try:
            connection.sign_in_with_token(self._tokens.read())
        except TokenUnavailable as error:
            raise Unreachable(str(error), error.repair, error.commands) from error
        except TokenRefused as error:
            raise Refused(str(error), error.repair, error.commands) from error
        except (Refused, SessionEnded):
            self._tokens.forget()
            raise

    def _connect(self) -> None:
        self._disconnect()
        self._connection = Connection(self.settings)
        try:
            self.sign_in(self._connection)
            self._folders = Folders(self._connection)
            self._open()
        except Exception:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._folders = self._opened = None

    def _open(self) -> Opened:
        """Select the folder again to learn UIDVALIDITY, UIDNEXT and the number of messages."""
        connection, folders = self._in_use()
        self._opened = with_uid_next(connection, folders.open(self.settings.folder), self._opened)
        return self._opened

    def _in_use(self) -> tuple[Connection, Folders]:
        if self._connection is None or self._folders is None:
            raise Unreachable("there is no connection", "open the source first")
        return self._connection, self._folders

    def _open_or_reconnect(self) -> Opened:
        """Select the folder; replace a connection that has ended or will soon end with its token."""
        if self._tokens is not None and self._tokens.is_due():
            self._connect()
        try:
            return self._open()
        except Busy:
            raise
        except Unreachable as error:
            self._reconnect(error)
            return self._open()

    def _reconnect(self, error: Unreachable) -> None:
        """Connect again after a loss, with a new token if the server ended the session."""
        if self._tokens is not None and isinstance(error, SessionEnded):
            self._tokens.forget()
        self._connect()

    def count(self) -> int | None:
        return self._open_or_reconnect().exists

    def messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        return self._messages(wanted, after, PartialFetch(wished=False))

    def partial_messages(
        self, wanted: Wanted = everything, after: MessageLocation | None = None
    ) -> Iterator[Message]:
        self._partial_fetch.begin()
        return self._messages(wanted, after, self._partial_fetch)

    def fetch_whole(self, message: Message) -> Message | None:
        def fetch() -> Message | None:
            is_ours = self._is_ours(message.location)
            return fetch_whole(self._in_use()[0], message, self._unfetched) if is_ours else None

        try:
            return self._retry_once(fetch)
        except Busy:
            raise
        except Unreachable as error:
            self._reconnect(error)
            return None

    def _messages(
        self, wanted: Wanted, after: MessageLocation | None, fetcher: PartialFetch
    ) -> Iterator[Message]:
        self.reached = None
        opened = self._open_or_reconnect()
        done, validity, losses = self._start(opened, after), opened.validity, Losses(self.settings)
        self._unfetched.begin_walk(validity)
        # After a reconnect (here or in `file`) the walk continues, unless UIDVALIDITY has changed.
        while self._opened and self._opened.validity == validity:
            connection, _ = self._in_use()
            try:
                for message in self._walk(connection, self._opened, done + 1, wanted, fetcher):
                    done = int(message.location.uid)
                    losses.end()
                    yield message
            except (CommandRejected, Busy):
                raise
            except Unreachable as error:
                losses.count(error)
                self._reconnect(error)
            if self._connection is connection:
                last = self._unfetched.end_of_walk(self._opened.uid_next)
                self.reached = self._location(self._opened, last)
                return

    def _start(self, opened: Opened, after: MessageLocation | None) -> int:
        """Return the UID after which to list messages, a little before `after`: see _OVERLAP."""
        if after is None or (after.mailbox, after.validity) != (self.name, opened.validity):
            return 0
        # UIDNEXT may go back, as at GMX: new messages have lower UIDs then.
        return max(0, int(after.uid) - _OVERLAP) if int(after.uid) < opened.uid_next else 0

    def _walk(
        self, connection: Connection, opened: Opened, first_uid: int, wanted: Wanted, fetcher: PartialFetch
    ) -> Iterator[Message]:
        """Yield messages from a UID on, until the end or until `file` has replaced the connection."""
        windows = list_windows(connection, first_uid, opened, self.settings.window, self._unfetched)
        place = partial(self._location, opened)
        for batch in fetcher.read(connection, windows, place, wanted, self._unfetched):
            yield from batch
            if self._connection is not connection:
                return

    def _location(self, opened: Opened, uid: int) -> MessageLocation:
        return MessageLocation(mailbox=self.name, validity=opened.validity, uid=str(uid))

    def wait(self, seconds: float, stop: Callable[[], bool] = never) -> bool:
        """Return True for a connection that is lost after a while: the next walk opens a new one."""
        (connection, _), started = self._in_use(), time.monotonic()
        try:
            found = wait_for_mail(connection, self._opened.uid_next if self._opened else 1, seconds, stop)
            if found and self._opened:
                self._opened = replace(self._opened, exists=-1)  # UIDNEXT may be stale
            return found
        except Unreachable as error:
            if self._tokens is not None and isinstance(error, SessionEnded):
                self._tokens.forget()
            self._disconnect()
            if isinstance(error, Busy) or time.monotonic() - started < _SHORT_SECONDS:
                raise
            return True

    def file(self, *locations: MessageLocation) -> None:
        self._retry_once(lambda: self._move(locations, self.settings.filed_folder))

    def quarantine(self, *locations: MessageLocation) -> None:
        self._retry_once(lambda: self._move(locations, self.settings.quarantine_folder))

    def _retry_once(self, action: Callable[[], T]) -> T:
        """Run a repeatable action; if the connection is lost, run it once more on a new one."""
        try:
            if self._opened is None:
                self._open_or_reconnect()
            return action()
        except (CommandRejected, Busy):
            raise
        except Unreachable as error:
            self._reconnect(error)
            return action()

    def _move(self, locations: Sequence[MessageLocation], path: str) -> None:
        """Move messages; one that is gone or has an old UIDVALIDITY counts as moved."""
        uids = sorted({int(location.uid) for location in locations if self._is_ours(location)})
        connection, folders = self._in_use()
        if uids and connection.is_read_only:
            raise read_only(self.settings.folder)
        move(connection, folders, uids, path)

    def _is_ours(self, location: MessageLocation) -> bool:
        """Tell whether the location is in the opened folder and its UID still means the same message."""
        opened = self._opened
        same = opened and (location.mailbox, location.validity) == (self.name, opened.validity)
        return bool(same) and location.uid.isascii() and location.uid.isdecimal()

    def diagnose(self) -> list[Check]:
        return diagnose(self.settings, self.sign_in)
