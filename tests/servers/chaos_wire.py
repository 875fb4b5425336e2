"""One end of a proxied connection: a socket, with or without TLS over it, and a tape of its bytes."""

import contextlib
import socket
import ssl
import struct

_CHUNK = 65_536
_AT_ONCE = struct.pack("ii", 1, 0)


class Wire:
    """What crosses the wire is kept in `heard` as it is there: ciphertext once TLS has begun."""

    def __init__(self, raw: socket.socket) -> None:
        raw.settimeout(10)
        self._raw = raw
        self._tls: ssl.SSLObject | None = None
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.heard = bytearray()

    def fileno(self) -> int:
        return self._raw.fileno()

    @property
    def is_secure(self) -> bool:
        return self._tls is not None

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands as the server. Raises OSError when the client does not like it."""
        layer = context.wrap_bio(self._in, self._out, server_side=True)
        while True:
            try:
                layer.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._take()
                continue
            break
        self._flush()
        self._tls = layer

    def _take(self) -> None:
        data = self._raw.recv(_CHUNK)
        self.heard += data
        if not data:
            raise ConnectionError("the client went away")
        self._in.write(data)

    def _flush(self) -> None:
        if pending := self._out.read():
            self._raw.sendall(pending)

    def listen(self) -> bytes:
        """Take bytes of the first flight and drop them: what a server does that hangs up in the handshake."""
        data = self._raw.recv(_CHUNK)
        self.heard += data
        return data

    def recv(self) -> bytes:
        """Return what came, empty at the end."""
        if self._tls is None:
            return self.listen()
        try:
            self._take()
        except ConnectionError:
            return b""
        parts = []
        with contextlib.suppress(ssl.SSLWantReadError):
            while part := self._tls.read(_CHUNK):
                parts.append(part)
        # Nothing yet but a part of a record: an empty answer would mean the end.
        return b"".join(parts) or self.recv()

    def send(self, data: bytes) -> None:
        if self._tls is None:
            self._raw.sendall(data)
            return
        self._tls.write(data)
        self._flush()

    def reset(self) -> None:
        """End with RST instead of FIN."""
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._raw.close()

    def hang_up(self) -> None:
        """End the connection in both directions."""
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.hang_up()
        self._raw.close()
