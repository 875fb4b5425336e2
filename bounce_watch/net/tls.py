"""TLS of every connection that we open: always verified, and left out only on this machine."""

import ipaddress
import ssl

from bounce_watch.config.accounts import ImapSettings, SmtpSettings
from bounce_watch.model.errors import RepairableError
from bounce_watch.net.slow_server import PatientSocket


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


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
