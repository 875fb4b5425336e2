"""A line like that to a data centre: TCP to a port of this machine, delayed and slowed down."""

import queue
import socket
import threading
import time
from types import TracebackType

Parcel = tuple[float, bytes]


class Line:
    """`port` leads to `target` with a round trip and a rate in bytes a second. Use as a context manager."""

    def __init__(self, target: int, *, round_trip: float, rate: float) -> None:
        self._target, self._delay, self._rate = target, round_trip / 2, rate
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self) -> "Line":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for one, other in ((near, far), (far, near)):
                parcels: queue.Queue[Parcel] = queue.Queue(64)
                threading.Thread(target=self._take, args=(one, parcels), daemon=True).start()
                threading.Thread(target=self._bring, args=(other, parcels), daemon=True).start()

    def _take(self, end: socket.socket, parcels: "queue.Queue[Parcel]") -> None:
        free_at = 0.0
        data = b"begun"
        while data:
            try:
                data = end.recv(64 * 1024)
            except OSError:
                data = b""
            free_at = max(free_at, time.perf_counter()) + len(data) / self._rate
            parcels.put((free_at + self._delay, data))

    @staticmethod
    def _bring(end: socket.socket, parcels: "queue.Queue[Parcel]") -> None:
        while True:
            due, data = parcels.get()
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                end.sendall(data) if data else end.shutdown(socket.SHUT_WR)
            except OSError:
                return
            if not data:
                return
