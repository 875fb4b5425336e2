"""Sign in over SMTP with a password (RFC 4954), in UTF-8 (RFC 4616), which smtplib refuses to send."""

import hmac
import smtplib
from base64 import b64decode, b64encode
from collections.abc import Callable

_MOST_CHALLENGES = 4
_WRONG_PASSWORD = 535
_CLOSING = 421


def with_password(
    connection: smtplib.SMTP, user: str, password: str, open_anew: Callable[[smtplib.SMTP], None]
) -> None:
    """Try each mechanism that the server offers: some are refused, and MD5 may be forbidden here (FIPS).

    `open_anew` replaces a connection that the server closed at one of them.
    Raises SMTPAuthenticationError, and SMTPNotSupportedError where nothing is offered that we know.
    """
    offered = str(connection.esmtp_features.get("auth", "")).upper().split()
    faults: list[smtplib.SMTPException] = []
    for mechanism in filter(offered.__contains__, ("PLAIN", "LOGIN", "CRAM-MD5")):
        try:
            if faults and not _is_open(connection):
                open_anew(connection)
            return _exchange(connection, mechanism, user, password)
        except smtplib.SMTPAuthenticationError as error:
            faults.append(error)
            if error.smtp_code < 500:
                break
        except smtplib.SMTPServerDisconnected as error:
            faults.append(error)
    raise min(faults, key=_rank, default=smtplib.SMTPNotSupportedError())


def _is_open(connection: smtplib.SMTP) -> bool:
    try:
        return connection.noop()[0] != _CLOSING
    except smtplib.SMTPServerDisconnected:
        return False


def _rank(fault: smtplib.SMTPException) -> int:
    """Return 0 for a wrong password, 1 for another refusal, 2 for a lost connection."""
    if not isinstance(fault, smtplib.SMTPAuthenticationError):
        return 2
    return int(fault.smtp_code != _WRONG_PASSWORD)


def _exchange(connection: smtplib.SMTP, mechanism: str, user: str, password: str) -> None:
    first = f" {_encoded(_plain(user, password))}" if mechanism == "PLAIN" else ""
    code, text = connection.docmd("AUTH", mechanism + first)
    for number in range(_MOST_CHALLENGES):
        if code != 334:
            break
        try:
            response = _encoded(_response(mechanism, number, text, user, password))
        except ValueError:  # the hash is forbidden, or the challenge is no base64
            response = "*"
        code, text = connection.docmd(response)
    if code not in (235, 503):  # 503: signed in already
        raise smtplib.SMTPAuthenticationError(code, text)


def _response(mechanism: str, number: int, challenge: bytes, user: str, password: str) -> bytes:
    match mechanism:
        case "PLAIN":
            return _plain(user, password)
        case "LOGIN":
            return (password if number else user).encode()
        case _:
            key = hmac.HMAC(password.encode(), b64decode(challenge), "md5").hexdigest()
            return f"{user} {key}".encode()


def _plain(user: str, password: str) -> bytes:
    return f"\0{user}\0{password}".encode()


def _encoded(response: bytes) -> str:
    return b64encode(response).decode("ascii")
