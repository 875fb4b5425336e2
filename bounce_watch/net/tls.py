"""TLS of every connection that we open: always verified, and left out only on this machine."""

import ipaddress
import socket
import ssl

from bounce_watch.config.accounts import ImapSettings, SmtpSettings
from bounce_watch.model.errors import RepairableError
from bounce_watch.net.slow_server import PatientSocket

_OUT_OF_TIME = {9, 10}
"""OpenSSL: not yet valid, has expired."""
_OLD_TLS = {
    "TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "VERSION_TOO_LOW",
    "WRONG_SSL_VERSION", "TLSV1_ALERT_INSUFFICIENT_SECURITY",
}  # fmt: skip
_UNREACHED = "check host, port and the firewall"


class TlsRefused(RepairableError):
    """The configuration asks for a connection that we do not open."""


def tls_context(settings: ImapSettings | SmtpSettings) -> ssl.SSLContext:
    """Return a context that verifies certificate and host name. Raises TlsRefused."""
    if settings.security == "none" and not _is_loopback(settings.host):
        raise TlsRefused(
            f"{settings.host} is not this machine, so it is not used without TLS",
            'use security = "tls" or "starttls"',
        )
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise TlsRefused(f"the file {settings.ca_file} holds no certificates", "check ca_file") from error
    context.sslsocket_class = PatientSocket
    return context


def protection_of(channel: object) -> str:
    """Return the protection of a connection's socket, such as TLSv1.3."""
    return str(channel.version()) if isinstance(channel, ssl.SSLSocket) else "no TLS"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def connection_fault(
    error: Exception, settings: ImapSettings | SmtpSettings, *, wrong_tls: str, too_slow: str = _UNREACHED
) -> tuple[str, str] | None:
    """Return why connecting failed and how to fix it, None for a fault that is not known.

    `wrong_tls` and `too_slow` are the fixes that differ between protocols.
    """
    where = f"{settings.host}:{settings.port}"
    match error:
        case ssl.SSLCertVerificationError():
            fix = "use the host name that stands in the certificate; name an own authority in ca_file"
            if error.verify_code in _OUT_OF_TIME:
                fix = "renew the server's certificate, and check the clock of this machine"
            return f"the certificate of {where} is not trusted: {error.verify_message}", fix
        case socket.gaierror():
            return f"the host name {settings.host} is not known", "check host and the DNS servers"
        case ConnectionRefusedError():
            return f"{where} refuses connections", _UNREACHED
        case TimeoutError():
            return f"{where} does not answer in time", too_slow
        case ssl.SSLError():
            return _tls_fault(where, error.reason or "", wrong_tls)
    return None


def _tls_fault(where: str, reason: str, wrong_tls: str) -> tuple[str, str]:
    if reason in _OLD_TLS:
        fix = "switch TLS 1.2 or 1.3 on in the server; older versions are not safe, and we do not use them"
        return f"{where} offers no TLS version that we accept (1.2 or newer)", fix
    if "HANDSHAKE_FAILURE" in reason:
        return f"{where} and we have no cipher in common", "allow the ciphers of TLS 1.2 in the server"
    return f"{where} does not speak TLS as expected", wrong_tls
