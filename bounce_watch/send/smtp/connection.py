"""Open an SMTP connection up to MAIL: EHLO, STARTTLS (RFC 3207), AUTH (RFC 4954, XOAUTH2)."""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable
from typing import Any

from bounce_watch.config.accounts import SmtpSettings
from bounce_watch.config.secrets import SecretError
from bounce_watch.model.errors import RepairableError
from bounce_watch.net.oauth import TokenError, Tokens, TokenUnavailable, tokens_for
from bounce_watch.net.refusals import values_of
from bounce_watch.net.slow_server import OPENING, within
from bounce_watch.net.tls import TlsRefused, connection_fault, tls_context
from bounce_watch.send.interface import Delivery, Outcome
from bounce_watch.send.smtp.replies import Step, judge, read_reply
from bounce_watch.send.smtp.sign_in import with_password

_AGAIN = "we try again by ourselves"
_GREETING = 220


class NotReady(RepairableError):
    """There is no connection that accepts messages; `delivery` is the result for a waiting message."""

    def __init__(self, outcome: Outcome, text: str, repair: str, commands: tuple[str, ...] = ()) -> None:
        super().__init__(text, repair, commands)
        self.delivery = Delivery(outcome=outcome, reply=text[:500], repair=repair, commands=commands)


class _Smtp(smtplib.SMTP):
    """Reads replies as servers write them; also stops at a greeting that comes byte by byte."""

    _greets = False

    def connect(
        self, host: str = "localhost", port: int = 0, source_address: Any = None
    ) -> tuple[int, bytes]:
        with within(OPENING * self.timeout, lambda: hang_up(self)):
            return super().connect(host, port, source_address)

    def ehlo(self, name: str = "") -> tuple[int, bytes]:
        """Pass by a second greeting, that of the server behind a proxy: it answers nothing."""
        self._greets = True
        try:
            return super().ehlo(name)
        finally:
            self._greets = False

    def getreply(self) -> tuple[int, bytes]:
        """Read a reply with lines of any length; pass by lines that are none (such as a proxy's banner)."""
        if self.file is None:
            self.file = self.sock.makefile("rb")  # type: ignore[union-attr]
        try:
            reply = read_reply(self.file)
            return read_reply(self.file) if self._greets and reply[0] == _GREETING else reply
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(f"Connection unexpectedly closed: {error}") from error


class _SmtpTls(_Smtp, smtplib.SMTP_SSL):
    """The same with TLS from the start."""


def hang_up(connection: smtplib.SMTP) -> None:
    """End a connection that another thread reads."""
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


class Gateway:
    """Opens and signs in connections to one submission server. Faults are raised as NotReady."""

    def __init__(
        self,
        settings: SmtpSettings,
        secret: Callable[[], str],
        own_name: str,
        sender: str,
        *,
        http_client: Any = None,
    ) -> None:
        self._settings = settings
        self._values = values_of(settings, sender)
        self._secret = secret
        self._own_name = own_name
        self._tokens = tokens_for(settings, secret, http_client)

    def judge(self, step: Step, code: int, text: bytes) -> Delivery:
        """Return what a reply means, with the repair for this site."""
        return judge(step, code, text, auth=self._settings.auth, values=self._values)

    def open(self) -> smtplib.SMTP:
        """Return a connection after EHLO, with TLS unless the configuration has none."""
        try:
            context = tls_context(self._settings)
            connection = self._connect(context)
        except TlsRefused as error:
            raise NotReady(Outcome.STOP, str(error), error.repair) from error
        except (OSError, ValueError) as error:
            raise self._not_connected(error) from error
        try:
            self._introduce(connection, context)
        except (OSError, ValueError) as error:
            connection.close()
            raise self._not_connected(error) from error
        return connection

    def _introduce(self, connection: smtplib.SMTP, context: ssl.SSLContext) -> None:
        with within(OPENING * self._settings.timeout_seconds, lambda: hang_up(connection)):
            self._greet(connection)
            if self._settings.security == "starttls":
                connection.starttls(context=context)
                self._greet(connection)

    def _open_anew(self, connection: smtplib.SMTP) -> None:
        """Replace a connection that the server closed during the sign-in."""
        connection.close()
        if connection.connect(self._settings.host, self._settings.port)[0] != _GREETING:
            raise smtplib.SMTPServerDisconnected
        self._introduce(connection, tls_context(self._settings))

    def _connect(self, context: ssl.SSLContext) -> smtplib.SMTP:
        settings = self._settings
        host, port, timeout = settings.host, settings.port, settings.timeout_seconds
        # smtplib would look our own name up in DNS, which is slow if it is not set up.
        if settings.security == "tls":
            return _SmtpTls(host, port, self._own_name, timeout=timeout, context=context)
        return _Smtp(host, port, self._own_name, timeout=timeout)

    def _greet(self, connection: smtplib.SMTP) -> None:
        code, text = connection.ehlo()
        if 500 <= code <= 504:  # the server does not know EHLO
            code, text = connection.helo()
        if not 200 <= code <= 299:
            raise smtplib.SMTPResponseException(code, text)

    def _not_connected(self, error: Exception) -> NotReady:
        where = f"{self._settings.host}:{self._settings.port}"
        if isinstance(error, smtplib.SMTPNotSupportedError):
            repair = 'use security = "tls" with port 465, or switch STARTTLS on in the server'
            return NotReady(Outcome.STOP, f"{where} offers no STARTTLS", repair)
        if isinstance(error, smtplib.SMTPResponseException):
            return self._refused(Step.GREETING, error, "look at the server's own words")
        text, repair = connection_fault(
            error, self._settings, wrong_tls='use security = "starttls" with port 587 and "tls" with port 465'
        ) or (f"no connection to {where} ({type(error).__name__})", _AGAIN)
        is_untrusted = isinstance(error, ssl.SSLCertVerificationError)
        return NotReady(Outcome.STOP if is_untrusted else Outcome.LATER, text, repair)

    def sign_in(self, connection: smtplib.SMTP) -> None:
        """Sign in as configured; do nothing for `auth = "none"`."""
        if self._settings.auth == "none":
            return
        try:
            if self._tokens is None:
                with_password(connection, self._settings.user, self._secret(), self._open_anew)
            else:
                self._sign_in_with_token(connection, self._tokens)
        except TokenError as error:
            outcome = Outcome.LATER if isinstance(error, TokenUnavailable) else Outcome.STOP
            raise NotReady(outcome, str(error), error.repair, error.commands) from error
        except SecretError as error:
            raise NotReady(Outcome.STOP, str(error), error.repair) from error
        except (OSError, ValueError) as error:
            # Not chained: the original text may repeat the secret.
            raise self._not_signed_in(error) from None

    def _sign_in_with_token(self, connection: smtplib.SMTP, tokens: Tokens) -> None:
        token = tokens.read()

        def mechanism(challenge: bytes | None = None) -> str:
            # A challenge is the server's reason for refusing; an empty response ends the exchange.
            return "" if challenge else f"user={self._settings.user}\x01auth=Bearer {token}\x01\x01"

        if "XOAUTH2" not in str(connection.esmtp_features.get("auth", "")).upper().split():
            raise smtplib.SMTPNotSupportedError
        try:
            connection.auth("XOAUTH2", mechanism, initial_response_ok=True)
        except smtplib.SMTPAuthenticationError:
            tokens.forget()
            raise

    def _refused(self, step: Step, error: smtplib.SMTPResponseException, repair: str) -> NotReady:
        delivery = self.judge(step, error.smtp_code, _bytes(error.smtp_error))
        return NotReady(delivery.outcome, delivery.reply, delivery.repair or repair, delivery.commands)

    def _not_signed_in(self, error: Exception) -> NotReady:
        settings = self._settings
        match error:
            case smtplib.SMTPResponseException():
                return self._refused(Step.SIGN_IN, error, "check user and secret")
            case smtplib.SMTPServerDisconnected() | TimeoutError():
                text = "the connection ended during the sign-in"
                return NotReady(Outcome.LATER, text, _AGAIN)
            case smtplib.SMTPException():
                text = f"{settings.host} does not offer sign-in by {settings.auth} here"
                repair = 'use the other auth (Exchange Online: "xoauth2") or security'
                return NotReady(Outcome.STOP, text, repair)
            case UnicodeError():
                text = "user or password holds characters outside ASCII, which SMTP cannot carry here"
                return NotReady(Outcome.STOP, text, "choose another password")
            case _:
                return NotReady(Outcome.LATER, type(error).__name__, _AGAIN)


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")
