"""One IMAP connection (RFC 3501, 6851, 4315): the only module that imports imapclient.

Arguments with CR, LF or NUL never reach a command. Every fault is raised as a SourceError.
"""

import imaplib
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from imapclient import IMAPClient, SocketTimeout, imap_utf7

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.net.tls import TlsRefused, protection_of, tls_context
from bounce_watch.source.imap import errors as faults
from bounce_watch.source.imap import responses, sign_in
from bounce_watch.source.imap.transport import Engine, keep_alive
from bounce_watch.source.interface import MissingFolder, Refused, SourceError
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
    """A connection with TLS; sign in, then use. Commands raise CommandRejected, Unreachable or Refused.

    `is_copy_proven`: what the server confirmed as copied was there, None before the first time.
    """

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self.capabilities: frozenset[str] = frozenset()
        self.is_read_only = self._is_introduced = self.is_move_proven = False
        self.is_copy_proven: bool | None = None
        self.may_delete = True
        self._open()

    def _open(self) -> Any:
        crash_points.point("imap.connect")
        try:
            context = tls_context(self._settings)
            self._client = self._connect(context)
        except TlsRefused as error:
            raise Refused(str(error), error.repair) from error
        except faults.LOST as error:
            raise faults.connecting(error, self._settings) from error
        if self._settings.security == "starttls":
            self._start_tls(context)
        return self._client

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
        except (SourceError, *faults.LOST) as error:
            self.close()
            raise faults.connecting(error, self._settings) from error

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
        """Sign in with a password."""
        self.capabilities = sign_in.with_password(self._client, self._settings, password, self._open)

    def sign_in_with_token(self, token: str) -> None:
        """Sign in with an access token (XOAUTH2)."""
        self.capabilities = sign_in.with_token(self._client, self._settings, token)

    def open(self, folder: str, *, read_only: bool = False) -> responses.Opened:
        """Select a folder; one that may only be read is read all the same. Raises MissingFolder."""
        crash_points.point("imap.open")
        try:
            answer = self._client.select_folder(faults.checked(folder), readonly=read_only)
            self.is_read_only = read_only
        except imaplib.IMAP4.readonly:
            return self.open(folder, read_only=True)
        except faults.LOST as error:
            fault = faults.opening(error, folder, self._settings)
            if isinstance(fault, MissingFolder) and self._introduce():
                return self.open(folder, read_only=read_only)
            raise fault from error
        flags = answer.get(b"PERMANENTFLAGS", (b"\\deleted",))
        self.may_delete = b"\\deleted" in {flag.lower() for flag in flags}
        validity, uid_next = int(answer.get(b"UIDVALIDITY", 0)), int(answer.get(b"UIDNEXT", 0))
        return responses.Opened(validity=validity, uid_next=uid_next, exists=int(answer.get(b"EXISTS", 0)))

    def _introduce(self) -> bool:
        """Tell our name once (ID, RFC 2971), which imap.163.com wants; return whether it was news."""
        if self._is_introduced or "ID" not in self.capabilities:
            return False
        self._is_introduced = True
        with suppress(faults.CommandRejected):
            self.perform(self._client.id_, {"name": "bounce_watch"})
        return True

    def fetch(self, uids: str, items: str, *, some: bool = False) -> dict[int, responses.Items]:
        """Fetch items of a UID set such as `1:500`; responses without UID are dropped.

        With `some`, what came before the server said NO counts: it said so of the others.
        imapclient's own fetch takes no ranges (mjs/imapclient#647) and joins responses by sequence number.
        """
        try:
            return responses.items_by_uid(self.fetch_lines(uids, items, some=some))
        except responses.UnreadableResponse as error:
            raise faults.talking(OSError("an answer that is no IMAP"), self._settings) from error

    def fetch_lines(self, uids: str, items: str, *, some: bool = False) -> list[Any]:
        """Fetch items and return the lines of the response as imaplib gives them."""
        crash_points.point("imap.fetch")
        # imaplib keeps what the server said of messages during earlier commands.
        self.protocol.untagged_responses.pop("FETCH", None)
        status, answer = self.perform(self.protocol.uid, "FETCH", uids, items)
        crash_points.point("imap.fetched")
        if status != "OK":
            fault = faults.talking(imaplib.IMAP4.error(responses.plain(answer[0])), self._settings)
            answer = self.protocol.untagged_responses.pop("FETCH", [])
            if not (some and answer and isinstance(fault, faults.CommandRejected)):
                raise fault
        return list(answer)

    def move(self, uids: Sequence[int], folder: str) -> set[int]:
        """Move messages; return those that the server names as moved (COPYUID, RFC 6851)."""
        crash_points.point("imap.move")
        moved = self._transfer(self._client.move, uids, folder)
        crash_points.point("imap.moved")
        return moved

    def copy(self, uids: Sequence[int], folder: str) -> set[int]:
        """Copy messages; return those that the server names as copied (COPYUID, RFC 4315)."""
        crash_points.point("imap.copy")
        copied = self._transfer(self._client.copy, uids, folder)
        crash_points.point("imap.copied")
        return copied

    def _transfer(self, command: Callable[..., Any], uids: Sequence[int], folder: str) -> set[int]:
        self.protocol.untagged_responses.pop("COPYUID", None)
        self.perform(command, uids, folder)
        # The server reports each moved message; imaplib would collect the reports for the whole walk.
        self.protocol.untagged_responses.pop("EXPUNGE", None)
        return responses.copied_uids(self.protocol.untagged_responses.pop("COPYUID", [])) & set(uids)

    def mark_deleted(self, uids: Sequence[int]) -> None:
        crash_points.point("imap.mark_deleted")
        self.perform(self._client.add_flags, uids, [b"\\Deleted"], True)

    def expunge(self, uids: Sequence[int]) -> None:
        """Remove messages that are marked deleted (UIDPLUS)."""
        crash_points.point("imap.expunge")
        self.perform(self._client.uid_expunge, uids)

    def search(self, *criteria: str) -> tuple[int, ...]:
        """Return the UIDs of messages that meet the criteria, which never come from a message."""
        crash_points.point("imap.search")
        found = self.perform(self._client.search, [faults.checked(one) for one in criteria])
        crash_points.point("imap.searched")
        return tuple(found)

    def create(self, folder: str) -> None:
        """Create a folder and subscribe to it, so that mail programs show it."""
        crash_points.point("imap.create")
        self.perform(self._client.create_folder, folder)
        with suppress(faults.CommandRejected):
            self.perform(self._client.subscribe_folder, folder)

    def folders(self, pattern: str = "*") -> dict[str, tuple[bytes, ...]]:
        """Return flags by folder name, whatever the names of other folders hold."""
        self._client.folder_encode = False  # imapclient fails at one name that is no modified UTF-7
        try:
            listed = self.perform(self._client.list_folders, "", imap_utf7.encode(pattern))
        finally:
            self._client.folder_encode = True
        return {folder_name(name): flags for flags, _, name in listed}

    def status(self, folder: str) -> responses.Status | None:
        """Ask what a folder holds (STATUS); None if the server does not tell."""
        name = self._client._normalise_folder(faults.checked(folder))
        try:
            _, lines = self.perform(self.protocol.status, name, "(MESSAGES UIDNEXT)")
        except faults.CommandRejected:
            return None
        return responses.read_status(lines)

    def root(self) -> str:
        """Return the separator of folder names."""
        listed = self.perform(self._client.list_folders, "", "")
        return responses.plain(listed[0][1]) if listed else "/"

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
                faults.checked(argument)
        try:
            return command(*arguments)
        except faults.LOST as error:
            raise faults.talking(error, self._settings) from error


def folder_name(name: Any) -> str:
    """Return a folder's name; one that is no modified UTF-7 (RFC 3501 section 5.1.3) is not ours."""
    if not isinstance(name, bytes):
        return str(name)
    with suppress(ValueError):
        return str(imap_utf7.decode(name))
    return name.decode("utf-8", "replace")
