"""Send over SMTP (RFC 5321) step by step, so that the step of a fault is known.

`smtplib.sendmail` hides the step. Up to DATA nothing was sent; from the first byte of content until the
reply, the result is unknown.
"""

import re
import smtplib
from collections.abc import Callable
from contextlib import closing
from typing import Any

from bounce_watch.config.accounts import SmtpSettings
from bounce_watch.model.address import domain_of, is_deliverable
from bounce_watch.model.check import Check
from bounce_watch.net.slow_server import OPENING, within
from bounce_watch.net.tls import protection_of
from bounce_watch.send.interface import Delivery, Outcome
from bounce_watch.send.smtp.connection import Gateway, NotReady, hang_up
from bounce_watch.send.smtp.replies import TOO_LARGE, Step, plain_text
from bounce_watch.testing import crash_points

_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_CLOSING = 421
_GOODBYE_SECONDS = 2


class _NotTaken(Exception):
    """The server refused before any content was sent."""

    def __init__(self, step: Step, code: int, text: bytes) -> None:
        self.step = step
        self.code = code
        self.text = text


class SmtpSender:
    """One connection, opened when first needed, reused, and reopened after an idle loss.

    `secret` returns the password, or the client secret for XOAUTH2. `http_client` is a requests session
    for the token service.
    """

    def __init__(
        self, settings: SmtpSettings, secret: Callable[[], str], from_address: str, *, http_client: Any = None
    ) -> None:
        self.name = f"smtp://{settings.host}:{settings.port}"
        self._settings = settings
        self._from_address = from_address
        own_name = domain_of(from_address) or "localhost"
        self._gateway = Gateway(settings, secret, own_name, from_address, http_client=http_client)
        self._connection: smtplib.SMTP | None = None
        self._null_is_refused = False

    def __enter__(self) -> "SmtpSender":
        return self

    def __exit__(self, *exc: object) -> None:
        if self._connection is None:
            return
        if exc[0] is not None:
            # The session ended early, perhaps within content: send nothing more.
            self._hang_up()
            return
        try:
            if self._connection.sock is not None:
                self._connection.sock.settimeout(_GOODBYE_SECONDS)
            self._connection.quit()
        except OSError:
            self._hang_up()
        self._connection = None

    def send(self, recipient: str, content: bytes) -> Delivery:
        if reason := self._why_never(recipient, content):
            return Delivery(outcome=Outcome.FAILED, reply=reason)
        was_open = self._connection is not None
        try:
            offered = self._offer(recipient, content)
            if was_open and self._connection is None:  # the server has had enough of that connection
                offered = self._offer(recipient, content)
        except NotReady as refusal:
            self._hang_up()
            return refusal.delivery
        return offered if isinstance(offered, Delivery) else self._hand_over(offered, content)

    def _offer(self, recipient: str, content: bytes) -> smtplib.SMTP | Delivery:
        """Return the connection that waits for the content, or the refusal. Raises NotReady."""
        connection = self._ready()
        try:
            with within(OPENING * self._settings.timeout_seconds, lambda: hang_up(connection)):
                self._announce(connection, recipient, content)
        except _NotTaken as refusal:
            if not 400 <= refusal.code <= 599:  # a reply out of turn: what else may be on its way?
                self._hang_up()
            self._hang_up_if_closing(refusal.code)
            return self._gateway.judge(refusal.step, refusal.code, refusal.text)
        except (OSError, ValueError) as error:
            self._hang_up()
            return Delivery(outcome=Outcome.LATER, reply=f"connection lost ({type(error).__name__})")
        return connection

    def _why_never(self, recipient: str, content: bytes) -> str | None:
        if not (is_deliverable(recipient) and is_deliverable(self._from_address)):
            return "sender or recipient is not a plain address"
        # A bare CR or LF before a dot would let content smuggle in a second message.
        return "the mail holds a line end other than CRLF" if _BARE_LINE_END.search(content) else None

    def _ready(self) -> smtplib.SMTP:
        """Return a connection that is ready for MAIL: the current one if it is alive, else a new one."""
        if self._connection is not None and not self._is_alive(self._connection):
            self._hang_up()
        if self._connection is None:
            crash_points.point("smtp.connect")
            self._connection = self._gateway.open()
            crash_points.point("smtp.sign_in")
            self._gateway.sign_in(self._connection)
        return self._connection

    @staticmethod
    def _is_alive(connection: smtplib.SMTP) -> bool:
        try:
            return connection.docmd("RSET")[0] == 250
        except (OSError, ValueError):
            return False

    def _announce(self, connection: smtplib.SMTP, recipient: str, content: bytes) -> None:
        """Send MAIL, RCPT and DATA: after a fault here the message is certainly not sent."""
        crash_points.point("smtp.sender")
        self._name_sender(connection, content)
        crash_points.point("smtp.recipient")
        _ask(connection, Step.RECIPIENT, f"RCPT TO:<{recipient}>", 250)
        crash_points.point("smtp.data")
        _ask(connection, Step.DATA, "DATA", 354)

    def _name_sender(self, connection: smtplib.SMTP, content: bytes) -> None:
        most = str(connection.esmtp_features.get("size", ""))
        if most.isdecimal() and 0 < int(most) < len(content):
            raise _NotTaken(Step.SENDER, TOO_LARGE, b"the server takes %d bytes at most" % int(most))
        options = f" SIZE={len(content)}" if connection.has_extn("size") else ""
        options += " BODY=8BITMIME" if not content.isascii() and connection.has_extn("8bitmime") else ""
        mailbox = f"MAIL FROM:<{self._from_address}>{options}"
        reverse_path = self._settings.reverse_path
        if reverse_path == "mailbox" or (reverse_path == "auto" and self._null_is_refused):
            _ask(connection, Step.SENDER, mailbox, 250)
            return
        try:
            _ask(connection, Step.SENDER, f"MAIL FROM:<>{options}", 250)
        except _NotTaken as refusal:
            if reverse_path == "null" or not 500 <= refusal.code <= 599:
                raise
            _ask(connection, Step.SENDER, mailbox, 250)
            self._null_is_refused = True

    def _hand_over(self, connection: smtplib.SMTP, content: bytes) -> Delivery:
        """Send the content and wait for the final reply."""
        try:
            _transmit(connection, _stuffed(content))
            code, text = connection.getreply()
            crash_points.point("smtp.replied")
        except (OSError, ValueError) as error:
            self._hang_up()
            reply = f"the connection ended before the server confirmed ({type(error).__name__})"
            return Delivery(outcome=Outcome.UNKNOWN, reply=reply)
        if 200 <= code <= 299:
            return Delivery(outcome=Outcome.SENT, reply=plain_text(code, text))
        delivery = self._gateway.judge(Step.CONTENT, code, text)
        if delivery.outcome is Outcome.UNKNOWN:
            self._hang_up()
        self._hang_up_if_closing(code)
        return delivery

    def _hang_up_if_closing(self, code: int) -> None:
        if code == _CLOSING:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def diagnose(self) -> list[Check]:
        try:
            connection = self._gateway.open()
        except NotReady as error:
            return [_failure("SMTP connection", error)]
        with closing(connection):
            where = f"{self._settings.host}:{self._settings.port}"
            answers = f"{where} answers, protected by {protection_of(connection.sock)}"
            return [Check("SMTP connection", "ok", answers), self._signed_in(connection)]

    def _signed_in(self, connection: smtplib.SMTP) -> Check:
        if self._settings.auth == "none":
            return Check("SMTP sign-in", "ok", "no sign-in is configured")
        try:
            self._gateway.sign_in(connection)
        except NotReady as error:
            return _failure("SMTP sign-in", error)
        return Check("SMTP sign-in", "ok", f"signed in as {self._settings.user} ({self._settings.auth})")


def _ask(connection: smtplib.SMTP, step: Step, command: str, expected: int) -> None:
    connection.putcmd(command)
    code, text = connection.getreply()
    if code != expected and not (expected == 250 and code in {251, 252}):
        raise _NotTaken(step, code, text)


def _transmit(connection: smtplib.SMTP, stuffed: bytes) -> None:
    half = len(stuffed) // 2
    crash_points.point("smtp.content")
    connection.send(stuffed[:half])
    crash_points.point("smtp.half")
    connection.send(stuffed[half:])
    crash_points.point("smtp.handed_over")


def _stuffed(content: bytes) -> bytes:
    """Double the dots at line starts and add the end of data (RFC 5321 section 4.5.2)."""
    lines = content.replace(b"\r\n.", b"\r\n..")
    first = b"." if lines.startswith(b".") else b""
    last = b"" if lines.endswith(b"\r\n") else b"\r\n"
    return first + lines + last + b".\r\n"


def _failure(name: str, error: NotReady) -> Check:
    return Check(name, "failure", str(error), error.repair, error.delivery.commands)
