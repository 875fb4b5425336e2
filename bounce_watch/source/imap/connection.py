"""One IMAP connection (RFC 3501, 6851, 4315): the only module that imports imapclient.

Arguments with CR, LF or NUL never reach a command. Every fault is raised as a SourceError.
"""

import imaplib
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from imapclient import IMAPClient, SocketTimeout

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.net.tls import TlsRefused, protection_of, tls_context
from bounce_watch.source.imap import errors as faults
from bounce_watch.source.imap.responses import (
    Items,
    Namespaces,
    Opened,
    UnreadableResponse,
    items_by_uid,
    plain,
    read_namespaces,
)
from bounce_watch.source.imap.transport import Engine, keep_alive
from bounce_watch.source.interface import Refused, SourceError
from bounce_watch.testing import crash_points

_GOODBYE_SECONDS = 2


class _Client(IMAPClient):  # type: ignore[misc]
    """imapclient on top of our own engine, which is already connected."""

    def __init__(self, engine: Engine, *, seconds: float, tls: bool) -> None:
        self._engine = engine
        super().__init__(engine.host, engine.port, ssl=tls, timeout=SocketTimeout(seconds, seconds))

    def _create_IMAP4(self) -> Engine:  # noqa: N802 - imapclient's name
        return self._engine


class Connection:
    """A connection with TLS; sign in, then use. Commands raise CommandRejected, Unreachable or Refused."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self.capabilities: frozenset[str] = frozenset()
        try:
            context = tls_context(settings)
        except TlsRefused as error:
            raise Refused(str(error), error.repair) from error
        crash_points.point("imap.connect")
        try:
            self._client = self._connect(context)
        except faults.LOST as error:
            raise faults.connecting(error, settings) from error
        if settings.security == "starttls":
            self._start_tls(context)

    def _connect(self, context: ssl.SSLContext) -> Any:
        engine, tls = Engine(self._settings, context), self._settings.security == "tls"
        client = _Client(engine, seconds=self._settings.timeout_seconds, tls=tls)
        # Otherwise imapclient returns INTERNALDATE as a naive local time.
        client.normalise_times = False
        # imapclient logs imaplib's trace, which holds messages and the sign-in.
        client._imap.debug = 0
        keep_alive(client.socket())
        return client

    def _start_tls(self, context: ssl.SSLContext) -> None:
        try:
            if not self._client.has_capability("STARTTLS"):
                raise Refused(
                    f"{self._settings.host} offers no STARTTLS on port {self._settings.port}",
                    'use security = "tls" with port 993, or switch STARTTLS on in the server',
                )
            self._client.starttls(context)
        except faults.LOST as error:
            self.close()
            raise faults.connecting(error, self._settings) from error
        except SourceError:
            self.close()
            raise

    @property
    def protocol(self) -> imaplib.IMAP4:
        """The engine below imapclient, for what imapclient lacks."""
        engine: imaplib.IMAP4 = self._client._imap
        return engine

    @property
    def protection(self) -> str:
        """The protection of this connection, such as TLSv1.3."""
        return protection_of(self._client.socket())

    def sign_in(self, password: str) -> None:
        """Sign in with a password: SASL PLAIN if offered, because LOGIN takes ASCII only."""
        offered = {name.decode("ascii", "replace") for name in self._client.capabilities()}
        plain = "AUTH=PLAIN" in offered
        if "LOGINDISABLED" in offered and not plain:
            raise Refused(
                f"{self._settings.host} takes no passwords here (LOGINDISABLED)",
                'use auth = "xoauth2" (Exchange Online knows nothing else), or security = "starttls"',
            )
        if self._settings.mailbox and not plain:
            raise Refused(
                f"{self._settings.host} cannot open somebody else's mailbox (it offers no AUTH=PLAIN)",
                "leave mailbox out, and name the shared folder in folder",
            )
        self._sign_in(self._plain_login if plain else self._client.login, password)

    def _plain_login(self, user: str, password: str) -> None:
        """Sign in by SASL PLAIN (RFC 4616), with another mailbox as its object if configured."""
        self._client.plain_login(user, password, self._settings.mailbox and _checked(self._settings.mailbox))

    def sign_in_with_token(self, token: str) -> None:
        """Sign in with an access token (XOAUTH2)."""

        def mechanism(challenge: bytes) -> str:
            # A second challenge is the server's reason for refusing; an empty response ends the exchange.
            return "" if challenge else f"user={self._settings.owner}\x01auth=Bearer {token}\x01\x01"

        def command(_user: str, _token: str) -> None:
            self._client.sasl_login("XOAUTH2", mechanism)

        self._sign_in(command, token)

    def _sign_in(self, command: Callable[[str, str], object], secret: str) -> None:
        crash_points.point("imap.sign_in")
        try:
            command(_checked(self._settings.user), _checked(secret))
            # Exchange Online sends no list after the sign-in, and its new list differs.
            listed = self._client._imap.capability()[1][0]
        except faults.LOST as error:
            fault = faults.signing_in(error, self._settings, secret)
            # Not chained: the original text may repeat the secret.
            raise fault from None
        self.capabilities = frozenset(plain(listed).upper().split())

    def open(self, folder: str, *, read_only: bool = False) -> Opened:
        """Select a folder. Raises MissingFolder."""
        crash_points.point("imap.open")
        try:
            answer = self._client.select_folder(_checked(folder), readonly=read_only)
        except faults.LOST as error:
            raise faults.opening(error, folder, self._settings) from error
        return Opened(
            validity=int(answer.get(b"UIDVALIDITY", 0)),
            uid_next=int(answer.get(b"UIDNEXT", 0)),
            exists=int(answer.get(b"EXISTS", 0)),
        )

    def fetch(self, uids: str, items: str) -> dict[int, Items]:
        """Fetch items of a UID set such as `1:500`; responses without UID are dropped.

        imapclient's own fetch takes no ranges (mjs/imapclient#647) and joins responses by sequence number.
        """
        try:
            return items_by_uid(self.fetch_lines(uids, items))
        except UnreadableResponse as error:
            raise faults.talking(OSError("an answer that is no IMAP"), self._settings) from error

    def fetch_lines(self, uids: str, items: str) -> list[Any]:
        """Fetch items and return the lines of the response as imaplib gives them."""
        crash_points.point("imap.fetch")
        # imaplib keeps what the server said of messages during earlier commands.
        self.protocol.untagged_responses.pop("FETCH", None)
        status, answer = self.perform(self.protocol.uid, "FETCH", uids, items)
        crash_points.point("imap.fetched")
        if status != "OK":
            raise faults.talking(imaplib.IMAP4.error(plain(answer[0])), self._settings)
        return list(answer)

    def move(self, uids: Sequence[int], folder: str) -> None:
        crash_points.point("imap.move")
        self.perform(self._client.move, uids, folder)
        # The server reports each moved message; imaplib would collect the reports for the whole walk.
        self.protocol.untagged_responses.pop("EXPUNGE", None)
        crash_points.point("imap.moved")

    def copy(self, uids: Sequence[int], folder: str) -> None:
        crash_points.point("imap.copy")
        self.perform(self._client.copy, uids, folder)
        crash_points.point("imap.copied")

    def mark_deleted(self, uids: Sequence[int]) -> None:
        crash_points.point("imap.mark_deleted")
        self.perform(self._client.add_flags, uids, [b"\\Deleted"], True)

    def expunge(self, uids: Sequence[int]) -> None:
        """Remove messages that are marked deleted (UIDPLUS)."""
        crash_points.point("imap.expunge")
        self.perform(self._client.uid_expunge, uids)

    def search_header(self, field: str, value: str) -> tuple[int, ...]:
        """Return the UIDs of messages whose header field holds `value`, which never comes from a message."""
        crash_points.point("imap.search")
        found = self.perform(self._client.search, ["HEADER", _checked(field), _checked(value)])
        crash_points.point("imap.searched")
        return tuple(found)

    def create(self, folder: str) -> None:
        """Create a folder and subscribe to it, so that mail programs show it."""
        crash_points.point("imap.create")
        self.perform(self._client.create_folder, folder)
        self.perform(self._client.subscribe_folder, folder)

    def folders(self, pattern: str = "*") -> dict[str, tuple[bytes, ...]]:
        """Return flags by folder name."""
        return {name: flags for flags, _, name in self.perform(self._client.list_folders, "", pattern)}

    def namespaces(self) -> Namespaces:
        if "NAMESPACE" not in self.capabilities:
            root = self.perform(self._client.list_folders, "", "")
            return Namespaces(prefix="", separator=plain(root[0][1]) if root else "/")
        return read_namespaces(*self.perform(self._client.namespace))

    def close(self) -> None:
        """Log out; if that fails, hang up."""
        try:
            self._client.socket().settimeout(_GOODBYE_SECONDS)
            self._client.logout()
        except faults.LOST:
            with suppress(*faults.LOST):
                self._client.shutdown()

    def perform(self, command: Callable[..., Any], *arguments: object) -> Any:
        """Run a command; raise its faults as a SourceError."""
        for argument in arguments:
            if isinstance(argument, str):
                _checked(argument)
        try:
            return command(*arguments)
        except faults.LOST as error:
            raise faults.talking(error, self._settings) from error


def _checked(argument: str) -> str:
    """Return an argument that cannot end the command line (mjs/imapclient#657). Raises Refused."""
    if any(char in argument for char in "\r\n\0"):
        raise Refused("a name or password holds a line break", "take the line break out of the configuration")
    return argument
