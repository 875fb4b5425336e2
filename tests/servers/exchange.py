"""Dovecot, Postfix and a token server under the names and ports of Exchange Online.

The reports that Postfix writes carry Exchange's mark, as Exchange Online puts it on its own.
"""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import EXCHANGE_ONLINE
from tests.servers.dovecot import WATCHED, Dovecot
from tests.servers.postfix import Postfix
from tests.servers.refusing import RefusingServer
from tests.servers.tokens import TokenServer
from tests.servers.world import MailWorld

_OPTIONS = """
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl_port}
smtpd_tls_auth_only = yes
"""
_MARK = "/^Received: by / PREPEND X-MS-Exchange-Organization-AuthAs: Internal\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeOnline:
    """`hosts` are the addresses of the names, `ca_file` holds the authorities of all three servers."""

    world: MailWorld
    tokens: TokenServer
    hosts: dict[str, str]
    ca_file: Path


@contextmanager
def start_exchange(folder: Path, address: str) -> Iterator[ExchangeOnline]:
    """Start it at a loopback address that no other test uses. Needs root, for ports below 1024."""
    with ExitStack() as stack:
        tokens = stack.enter_context(TokenServer(folder / "tokens", WATCHED))
        dovecot = stack.enter_context(Dovecot(introspection_url=tokens.introspection_url))
        outside = stack.enter_context(RefusingServer())
        outside.handler.refusals[""] = "550 5.1.2 There is no such domain"
        options = _OPTIONS.format(sasl_port=dovecot.sasl_port)
        postfix = Postfix(lmtp_port=dovecot.lmtp_port, refusing_port=outside.port, options=options)
        with (postfix.root / "etc" / "redirect").open("a") as checks:
            checks.write(_MARK)
        stack.enter_context(postfix)
        for port, behind in ((993, dovecot.imaps_port), (587, postfix.port), (443, tokens.port)):
            stack.enter_context(_forwarded((address, port), behind))
        tokens.authority = f"https://{EXCHANGE_ONLINE[0]}"
        issued = (tokens.certificates, dovecot.certificates, postfix.certificates)
        (folder / "ca.pem").write_bytes(b"".join(one.ca_file.read_bytes() for one in issued))
        world = MailWorld(dovecot=dovecot, postfix=postfix, outside=outside)
        hosts = dict.fromkeys(EXCHANGE_ONLINE, address)
        yield ExchangeOnline(world=world, tokens=tokens, hosts=hosts, ca_file=folder / "ca.pem")


@contextmanager
def _forwarded(place: tuple[str, int], port: int) -> Iterator[None]:
    """Pass connections to a place on to a port of this machine."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as behind:
                threading.Thread(target=_pass, args=(behind, self.request), daemon=True).start()
                _pass(self.request, behind)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = allow_reuse_address = True
        block_on_close = False

    with Server(place, Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield
        server.shutdown()


def _pass(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes, until either side ends."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
