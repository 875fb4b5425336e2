"""The channel below IMAP: TLS as configured, and a kernel that notices when the other side is gone."""

import socket
import ssl

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.config.tls import TlsRefused, tls_context
from bounce_watch.source.interface import Refused

# Seconds, a number of tries, and milliseconds.
_KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 20, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 140_000}


def read_tls(settings: ImapSettings) -> ssl.SSLContext:
    """Return what the configuration asks of TLS. Raises Refused."""
    try:
        return tls_context(settings)
    except TlsRefused as error:
        raise Refused(str(error), error.repair) from error


def keep_alive(channel: socket.socket) -> None:
    """Let the kernel find out that the other side is gone: a quiet IDLE looks the same."""
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):  # not every system has them all
            channel.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
