"""The socket below IMAP: TLS as configured, a time limit for the opening, and TCP keep-alive."""

import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.net.slow_server import OPENING, within

# Seconds, a number of tries, and milliseconds.
_KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 20, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 140_000}
_BLANK = b"\r\n"
_OTHER_PROTOCOL = re.compile(rb"[0-9]{3}[ -]|\+OK|HTTP/|SSH-")
_TAGGED_OK = re.compile(rb"([A-Za-z0-9.]+)[ \t]+OK\b", re.IGNORECASE)
_MOST_STRAY = 20
_AFTER_GOODBYE_SECONDS = 0.5
_STATUS = re.compile(rb"^(\*|[A-Za-z0-9]+)[ \t]+([0-9]+[ \t]+)?([A-Za-z-]+)(?:[ \t]+|(?=[\r(]))")


def keep_alive(channel: socket.socket) -> None:
    """Let the kernel detect a dead server, which looks the same as a quiet IDLE."""
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):  # not every system has all of them
            channel.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def listed_capabilities(imap: imaplib.IMAP4) -> tuple[str, ...]:
    """Ask for the capabilities and return them in capital letters."""
    _, lines = imap.capability()
    return tuple(b" ".join(line for line in lines if line).decode("ascii", "replace").upper().split())


def _in_order(found: re.Match[bytes]) -> bytes:
    number = found[2].strip() + b" " if found[2] else b""
    return found[1].upper() + b" " + number + found[3].upper() + b" "


class Engine(imaplib.IMAP4):
    """The standard library's client with one time limit for everything before TLS.

    The constructor returns after the greeting.
    """

    def __init__(self, settings: ImapSettings, context: ssl.SSLContext) -> None:
        self._settings, self._context = settings, context
        self._reach: socket.socket | None = None
        self._next_line, self._is_behind_literal = b"", False
        self._is_late, self._stray = False, 0
        with self._in_time():
            super().__init__(settings.host, settings.port, settings.timeout_seconds)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        plain = socket.create_connection((self.host, self.port), timeout)
        self._reach = plain.dup()  # the handshake takes over the socket itself
        if self._settings.security == "tls":
            return self._context.wrap_socket(plain, server_hostname=self.host)
        return plain

    def _get_capabilities(self) -> None:
        """Take IMAP4rev2 (RFC 9051) as well, and a list in several lines, or none: we send basics."""
        self.capabilities = (*listed_capabilities(self), "IMAP4REV1")

    def login(self, user: str, password: str) -> Any:
        """Sign in by LOGIN and quote the user, as imaplib does not: `CONTOSO\\service` is no atom.

        A password outside ASCII goes as a literal in UTF-8, which imaplib refuses to send.
        """
        arguments = [self._quote(user).encode()]
        if password.isascii():
            arguments.append(self._quote(password).encode())
        else:
            self.literal = password.encode()  # type: ignore[assignment]  # typeshed calls it a text
        status, answer = self._simple_command("LOGIN", *arguments)
        if status != "OK":
            raise self.error(answer[-1])
        self.state = "AUTH"
        return status, answer

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
        self._reach = self.sock.dup()
        with self._in_time():
            return super().starttls(ssl_context)

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Raise TimeoutError when the block takes too long, even if bytes keep coming."""
        try:
            with within(OPENING * self._settings.timeout_seconds, self._hang_up):
                yield
        except (OSError, imaplib.IMAP4.error) as error:
            if self._is_late:
                raise TimeoutError from error
            raise
        finally:
            if self._reach is not None:
                self._reach.close()

    def _hang_up(self) -> None:
        self._is_late = True
        with contextlib.suppress(OSError):
            if self._reach is not None:
                self._reach.shutdown(socket.SHUT_RDWR)

    def _check_bye(self) -> None:
        if any(answer and answer[0] == "NO" for answer in self.tagged_commands.values()):  # type: ignore[comparison-overlap]
            self.untagged_responses.pop("BYE", None)
        super()._check_bye()  # type: ignore[misc]

    def _get_tagged_response(self, tag: bytes, expect_bye: bool = False) -> Any:
        """Take a sign-in that is refused with NO behind BYE as refused, not as a lost connection."""
        if self.state == "NONAUTH":
            while self.tagged_commands[tag] is None and "BYE" not in self.untagged_responses:
                self._get_response()
            if self.tagged_commands[tag] is None:
                self.sock.settimeout(_AFTER_GOODBYE_SECONDS)
                with contextlib.suppress(OSError, imaplib.IMAP4.error):
                    self._get_response()
            self._check_bye()
        return super()._get_tagged_response(tag, expect_bye)  # type: ignore[misc]

    def _is_stray(self, line: bytes) -> bool:
        """Tell whether a line does no harm: a banner before the greeting, OK to what we did not ask."""
        if self.state == "LOGOUT" and not self.tagged_commands:
            is_stray = bool(line) and not line.startswith(b"*") and not _OTHER_PROTOCOL.match(line)
        else:
            found = _TAGGED_OK.match(line)
            is_stray = found is not None and found[1].upper() not in self.tagged_commands
        self._stray += is_stray
        return is_stray and self._stray <= _MOST_STRAY

    def _get_response(self) -> Any:
        """Take what some servers write around RFC 3501: blanks, small letters, OK without a text."""
        while (line := self.readline()) == _BLANK or self._is_stray(line):
            continue
        self._next_line = _STATUS.sub(_in_order, line, count=1)
        return super()._get_response()  # type: ignore[misc]

    def read(self, size: int) -> bytes:
        self._is_behind_literal = True
        return super().read(size)

    def readline(self) -> bytes:
        """Read a line, but not a blank one between a literal and the rest of its response."""
        line, self._next_line = self._next_line or self._line(), b""
        if self._is_behind_literal and line == _BLANK:
            line, self._next_line = self._line(), b""
            if not line.startswith((b")", b" ")):
                line, self._next_line = _BLANK, line
        self._is_behind_literal = False
        return line

    def _line(self) -> bytes:
        """Read a line, which may lack its CR; abort at one without an end: what follows it is not IMAP."""
        try:
            line: bytes = super().readline()
            return re.sub(rb"(?<!\r)\n$", b"\r\n", line)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise self.abort(str(error)) from error
