"""Why a protected connection could not be opened, told from real handshakes in memory."""

import ssl
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from bounce_watch.config.accounts import ImapSettings
from bounce_watch.net.tls import connection_fault, tls_context
from tests.servers import certificates


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    """Exchange what both sides write until one of them fails."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client.sslsocket_class, ours = ssl.SSLSocket, client.wrap_bio(to_client, to_server, server_hostname=host)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(10):
        with suppress(ssl.SSLWantReadError):
            ours.do_handshake()
            return
        with suppress(ssl.SSLError):
            theirs.do_handshake()


def old(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1


def without_ciphers(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")


@pytest.mark.parametrize(
    ("host", "change", "words", "repair"),
    [
        pytest.param("localhost", old, "no TLS version that we accept (1.2 or newer)", "TLS 1.2", id="old"),
        pytest.param("localhost", without_ciphers, "no cipher in common", "ciphers", id="ciphers"),
        pytest.param("mail.example", lambda _: None, "Hostname mismatch", "host name", id="another name"),
    ],
)
def test_a_handshake_that_fails_says_why(
    tmp_path: Path, host: str, change: object, words: str, repair: str
) -> None:
    """A server with TLS 1.0 was told to use another port."""
    issued = certificates.issue(tmp_path)
    settings = ImapSettings(host=host, user="bounces@contoso.example", ca_file=issued.ca_file)
    server = issued.server()
    assert callable(change)
    change(server)
    with pytest.raises(ssl.SSLError) as caught:
        shake_hands(server, tls_context(settings), host)
    fault = connection_fault(caught.value, settings, wrong_tls="use the other port")
    assert fault is not None
    assert words in fault[0]
    assert repair in fault[1]
