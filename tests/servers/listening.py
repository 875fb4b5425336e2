"""A server of the standard library on loopback, in a thread of its own while a test lasts."""

import socketserver
import threading
from typing import Any, Self


class Listening:
    """Serves from `__enter__` to `__exit__`; `port` is where it listens."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.port: int = server.server_address[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def tcp(handler: type[socketserver.BaseRequestHandler], **shared: Any) -> socketserver.TCPServer:
    """Return a server on a free port whose handlers have `shared` as attributes."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), type("Handler", (handler,), shared))
    server.daemon_threads = True
    return server
