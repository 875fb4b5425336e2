"""A proxy between us and a real server that ends TLS itself, so that it can break what is said inside.

One `Fault` at a time: at which words it strikes and what it does there. `proxy.heal()` ends it for
connections that are open as well.
"""

import contextlib
import re
import select
import socket
import threading
import time
from dataclasses import dataclass
from enum import Enum, auto

from tests.servers.chaos_certificates import ChaosCertificates
from tests.servers.chaos_wire import Wire
from tests.servers.processes import free_port


class When(Enum):
    """The side whose bytes trigger a fault."""

    CONNECT = auto()
    TLS = auto()
    CLIENT = auto()
    SERVER = auto()


class Act(Enum):
    """What happens then. SAY replaces the words and goes on; STRIP takes them out of every answer."""

    CUT = auto()
    RESET = auto()
    STALL = auto()
    DRIP = auto()
    SAY = auto()
    ENDLESS = auto()
    STRIP = auto()
    CERTIFICATE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`keep`: bytes after the beginning of the words that still pass. `text` is what SAY and ENDLESS say.

    `strikes` is how often it happens before it ends; once where it is not met a second time, or where a
    mail that may have left twice would rightly be given up.
    """

    name: str
    when: When
    act: Act
    words: bytes = b""
    keep: int = 0
    text: bytes = b""
    certificate: str = "good"
    strikes: int = 2


class Ended(Exception):
    """The connection has ended."""


class ChaosProxy:
    """Listens on `port` of localhost. `implicit`: TLS from the first byte, else after STARTTLS.

    `plain` collects what clients said without TLS, `heard` everything that crossed the wire from them.
    """

    DRIP_SECONDS = 0.1
    """Between two bytes; a second in life, a tenth of it here as all other times."""

    def __init__(self, upstream: int, certificates: ChaosCertificates, *, implicit: bool) -> None:
        self.upstream, self.certificates, self.implicit = upstream, certificates, implicit
        self.port = free_port()
        self.heard: list[bytearray] = []
        self.fault: Fault | None = None
        self.strikes = 0
        self._open: list[Wire] = []
        self._struck = threading.Condition()
        self._over = threading.Event()

    def __enter__(self) -> "ChaosProxy":
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self._listener.settimeout(0.1)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self.heal()
        self._thread.join()
        self._listener.close()

    def break_with(self, fault: Fault) -> None:
        """Begin a fault and end open connections, so that faults during sign-in occur too."""
        self.fault, self.strikes = fault, 0
        for wire in list(self._open):
            wire.hang_up()

    def heal(self) -> None:
        self.fault = None

    def strike(self) -> None:
        with self._struck:
            self.strikes += 1
            self._struck.notify_all()

    def wait_for_strikes(self, count: int, seconds: float = 15) -> None:
        with self._struck:
            reached = self._struck.wait_for(lambda: self.strikes >= count, seconds)
        assert reached, f"{self.fault} struck {self.strikes} times, not {count}"

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                raw, _ = self._listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        client = Wire(raw)
        self.heard.append(client.heard)
        self._open.append(client)
        with contextlib.suppress(OSError, Ended):
            if self.fault and self.fault.when is When.CONNECT:
                self.strike()
                self.act(self.fault, client, b"")
            if self.implicit:
                self.start_tls(client)
            _Session(self, client).run()
        self._open.remove(client)
        client.close()

    def start_tls(self, client: Wire) -> None:
        """Run the TLS handshake, unless the fault is in it."""
        fault = self.fault
        certificate = "good"
        if fault and fault.when is When.TLS:
            self.strike()
            certificate = fault.certificate
            if fault.act is not Act.CERTIFICATE:
                client.listen()
                self.act(fault, client, b"")
        client.start_tls(self.certificates.contexts[certificate])

    def act(self, fault: Fault, client: Wire, kept: bytes) -> None:
        """Do what ends or delays a connection."""
        if kept:
            client.send(kept)
        match fault.act:
            case Act.RESET:
                client.reset()
            case Act.STALL:
                self.stall(fault, client)
        raise Ended

    def stall(self, fault: Fault, client: Wire) -> None:
        """Say nothing until the client has enough or the fault is over."""
        while self.fault is fault and not self._over.is_set():
            if select.select([client], [], [], 0.02)[0] and not client.recv():
                return


class _Session:
    def __init__(self, proxy: ChaosProxy, client: Wire) -> None:
        self.proxy, self.client = proxy, client
        self.server = Wire(socket.create_connection(("127.0.0.1", proxy.upstream), 10))
        self._dripping: Fault | None = None

    def run(self) -> None:
        try:
            while True:
                ready, _, _ = select.select([self.client, self.server], [], [], 30)
                if not ready:
                    return
                for wire in ready:
                    data = wire.recv()
                    if not data:
                        return
                    if wire is self.client:
                        self._from_client(data)
                    else:
                        self._from_server(data)
        finally:
            self.server.close()

    def _from_client(self, data: bytes) -> None:
        if not self.client.is_secure and (match := re.fullmatch(rb"(?i)(?:(\S+) )?STARTTLS\r\n", data)):
            self.client.send(match[1] + b" OK go\r\n" if match[1] else b"220 2.0.0 go\r\n")
            self.proxy.start_tls(self.client)
            return
        if fault := self._strikes(When.CLIENT, data):
            kept = self._cut_at(fault, data)
            if kept:
                self.server.send(kept)
            self.proxy.act(fault, self.client, b"")
        self.server.send(data)

    def _from_server(self, data: bytes) -> None:
        if self._dripping is not None and self._dripping is self.proxy.fault:
            self._drip(data)
            return
        if fault := self._strikes(When.SERVER, data):
            self._to_client(fault, data)
            return
        self.client.send(data)

    def _to_client(self, fault: Fault, data: bytes) -> None:
        match fault.act:
            case Act.STRIP:
                self.client.send(re.sub(fault.words, fault.text, data))
            case Act.SAY:
                self.client.send(self._cut_at(fault, data) + fault.text)
                self.proxy.stall(fault, self.client)
                raise Ended
            case Act.ENDLESS:
                self.client.send(self._cut_at(fault, data))
                while self.proxy.fault is fault:
                    self.client.send(fault.text * 500)
                raise Ended
            case Act.DRIP:
                self._dripping = fault
                self._drip(data)
            case _:
                self.proxy.act(fault, self.client, self._cut_at(fault, data))

    def _drip(self, data: bytes) -> None:
        fault = self._dripping
        for place in range(len(data)):
            if self.proxy.fault is not fault:
                self.client.send(data[place:])
                return
            self.client.send(data[place : place + 1])
            time.sleep(self.proxy.DRIP_SECONDS)

    def _strikes(self, when: When, data: bytes) -> Fault | None:
        fault = self.proxy.fault
        if fault is None or fault.when is not when or not re.search(fault.words, data):
            return None
        self.proxy.strike()
        return fault

    @staticmethod
    def _cut_at(fault: Fault, data: bytes) -> bytes:
        match = re.search(fault.words, data)
        assert match is not None
        return data[: match.start() + fault.keep]
